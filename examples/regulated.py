"""A run in an account with rules: HIPAA, GxP, an organisation's guard rails.

    npx cdk deploy --app "python examples/regulated.py" -c boundary=my-boundary

The function works in a network without a way to the internet, with one endpoint for each service that it calls. Its
logs are kept for ten years, they and its environment are encrypted with a key of one's own, a request that it could not
finish is kept in a queue, and it takes no more than its share of the account's concurrency. Policies are managed, not
inline, and every role has the organisation's boundary. docs/security.md tells why each is needed.
"""

import sys

from aws_cdk import (
    App,
    CfnOutput,
    Duration,
    RemovalPolicy,
    Stack,
    Tags,
    aws_ec2,
    aws_iam,
    aws_kms,
    aws_logs,
    aws_s3,
    aws_sqs,
)

from cdk_healthomics import HealthOmicsRun, HealthOmicsRunProvider, ManagedPolicyRole, WaitFor

app = App()
boundary = app.node.try_get_context("boundary")
if not boundary:
    sys.exit("Say which managed policy is the boundary of roles: -c boundary=my-boundary")
stack = Stack(app, "Regulated")
Tags.of(stack).add("data-classification", "restricted")
Tags.of(stack).add("cost-center", "genomics")
aws_iam.PermissionsBoundary.of(stack).apply(aws_iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", boundary))
key = aws_kms.Key(stack, "Key", enable_key_rotation=True)

# A network that leads to the services below, and nowhere else.
vpc = aws_ec2.Vpc(
    stack,
    "Network",
    max_azs=2,
    nat_gateways=0,
    subnet_configuration=[
        aws_ec2.SubnetConfiguration(name="function", subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED)
    ],
)
group = aws_ec2.SecurityGroup(
    stack, "Function", vpc=vpc, description="The function behind HealthOmics runs", allow_all_outbound=False
)
# S3 is reached at its public addresses, through the gateway.
group.add_egress_rule(aws_ec2.Peer.any_ipv4(), aws_ec2.Port.tcp(443), "AWS, through the endpoints")
for name, service in {
    "Runs": aws_ec2.InterfaceVpcEndpointAwsService.OMICS_WORKFLOWS,  # StartRun, GetRun, ListRuns, CancelRun
    "RunTags": aws_ec2.InterfaceVpcEndpointAwsService.OMICS_TAGS,  # TagResource, UntagResource
    "CloudFormation": aws_ec2.InterfaceVpcEndpointAwsService.CLOUDFORMATION,
    "EventBridge": aws_ec2.InterfaceVpcEndpointAwsService.EVENTBRIDGE,  # while a run is waited for
}.items():
    endpoint = vpc.add_interface_endpoint(name, service=service, open=False)
    endpoint.connections.allow_default_port_from(group)
answers = vpc.add_gateway_endpoint("S3", service=aws_ec2.GatewayVpcEndpointAwsService.S3)
answers.add_to_policy(
    aws_iam.PolicyStatement(
        principals=[aws_iam.AnyPrincipal()],
        actions=["s3:PutObject"],
        resources=[f"arn:{stack.partition}:s3:::cloudformation-custom-resource-response-*/*"],
    )
)

unfinished = aws_sqs.Queue(
    stack,
    "Unfinished",
    encryption=aws_sqs.QueueEncryption.KMS,
    encryption_master_key=key,
    enforce_ssl=True,
    retention_period=Duration.days(14),
)
provider = HealthOmicsRunProvider(
    stack,
    "Provider",
    vpc=vpc,
    vpc_subnets=aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED),
    security_groups=[group],
    role=ManagedPolicyRole(
        stack,
        "FunctionRole",
        assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"),
        description="HealthOmics runs",
    ),
    environment_encryption=key,
    log_encryption=key,
    log_retention=aws_logs.RetentionDays.TEN_YEARS,
    log_removal_policy=RemovalPolicy.RETAIN,
    reserved_concurrent_executions=10,
    dead_letter_queue=unfinished,
)

results = aws_s3.Bucket(
    stack,
    "Results",
    encryption=aws_s3.BucketEncryption.KMS,
    encryption_key=key,
    bucket_key_enabled=True,
    block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
    enforce_ssl=True,
    versioned=True,
)
run = HealthOmicsRun(
    stack,
    "Run",
    workflow_id="1234567",
    output_uri=results.s3_url_for_object("runs"),
    parameters={"sample_name": "NA12878"},
    role=ManagedPolicyRole.of_runs(stack, "RunRole"),
    wait_for=WaitFor.RUNNING,
    timeout=Duration.minutes(30),
    provider=provider,
)
results.grant_read_write(run.role)
CfnOutput(stack, "RunId", value=run.run_id)
app.synth()
