"""A run whose tasks work in a network of yours: a HealthOmics configuration names its subnets and security groups.

    npx cdk deploy --app "python examples/vpc.py"

The network has no way to the internet, only one to S3. A configuration can only be deleted when the runs that use it
have ended: ``configuration=`` lets the run be deleted first.
"""

from aws_cdk import App, CfnOutput, Stack, aws_ec2, aws_omics, aws_s3

from cdk_healthomics import HealthOmicsRun, NetworkingMode

app = App()
stack = Stack(app, "InVpc")
results = aws_s3.Bucket(stack, "Results")

vpc = aws_ec2.Vpc(
    stack,
    "Network",
    max_azs=2,
    nat_gateways=0,
    subnet_configuration=[
        aws_ec2.SubnetConfiguration(name="tasks", subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED),
    ],
    gateway_endpoints={
        "S3": aws_ec2.GatewayVpcEndpointOptions(service=aws_ec2.GatewayVpcEndpointAwsService.S3),
    },
)
group = aws_ec2.SecurityGroup(stack, "Tasks", vpc=vpc, description="The tasks of HealthOmics runs")
configuration = aws_omics.CfnConfiguration(
    stack,
    "Configuration",
    name="isolated",
    run_configurations=aws_omics.CfnConfiguration.RunConfigurationsProperty(
        vpc_config=aws_omics.CfnConfiguration.VpcConfigProperty(
            subnet_ids=[subnet.subnet_id for subnet in vpc.isolated_subnets],
            security_group_ids=[group.security_group_id],
        )
    ),
)

run = HealthOmicsRun(
    stack,
    "Run",
    workflow_id="1234567",
    output_uri=results.s3_url_for_object("runs"),
    parameters={"sample_name": "NA12878"},
    networking_mode=NetworkingMode.VPC,
    configuration=configuration,
)
results.grant_read_write(run.role)
CfnOutput(stack, "RunId", value=run.run_id)
app.synth()
