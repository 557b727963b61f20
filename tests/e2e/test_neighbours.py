"""Stacks with what real projects have beside their runs, on the local AWS with the real CDK CLI."""

from aws_cdk import RemovalPolicy, Stack, aws_ec2, aws_ecr, aws_iam, aws_omics

from cdk_healthomics import HealthOmicsRun
from tests.e2e.conftest import Deployment


def test_a_plain_vpc_with_its_nat_gateways_is_made_and_removed(deployment: Deployment) -> None:
    def declare(stack: Stack) -> None:
        vpc = aws_ec2.Vpc(stack, "Vpc", max_azs=2)
        configuration = aws_omics.CfnConfiguration(
            stack,
            "Configuration",
            name="private",
            run_configurations=aws_omics.CfnConfiguration.RunConfigurationsProperty(
                vpc_config=aws_omics.CfnConfiguration.VpcConfigProperty(
                    subnet_ids=[subnet.subnet_id for subnet in vpc.private_subnets],
                    security_group_ids=[aws_ec2.SecurityGroup(stack, "Tasks", vpc=vpc).security_group_id],
                )
            ),
        )
        HealthOmicsRun(
            stack,
            "Run",
            workflow_id="1",
            output_uri="s3://bucket/runs",
            networking_mode="VPC",
            configuration=configuration,
        )

    deployment.deploy(declare)
    (run,) = deployment.runs()
    assert run["configurationName"] == "private"
    ec2 = deployment.aws.client("ec2")
    assert [each["State"] for each in ec2.describe_nat_gateways()["NatGateways"]] == ["available"] * 2
    assert len(ec2.describe_addresses()["Addresses"]) == 2
    deployment.destroy()  # the configuration refuses to go while its run is active
    assert deployment.active() == []
    assert ec2.describe_addresses()["Addresses"] == []


def test_stores_and_the_rules_of_a_registry_are_made_and_removed(deployment: Deployment) -> None:
    def declare(stack: Stack) -> None:
        aws_omics.CfnReferenceStore(stack, "References", name="references")
        reads = aws_omics.CfnSequenceStore(stack, "Reads", name="reads")
        aws_ecr.CfnPullThroughCacheRule(
            stack,
            "PullThrough",
            ecr_repository_prefix="upstream",
            upstream_registry="quay",
            upstream_registry_url="registry.example",
        )
        pull = aws_iam.PolicyStatement(
            principals=[aws_iam.ServicePrincipal("omics.amazonaws.com")],
            actions=["ecr:CreateRepository", "ecr:BatchImportUpstreamImage"],
            resources=[stack.format_arn(service="ecr", resource="repository", resource_name="upstream/*")],
        )
        aws_ecr.CfnRegistryPolicy(stack, "Registry", policy_text=aws_iam.PolicyDocument(statements=[pull]))
        aws_ecr.CfnRepositoryCreationTemplate(
            stack, "Template", prefix="upstream", applied_for=["PULL_THROUGH_CACHE"], description="what is pulled"
        )
        aws_ecr.Repository(stack, "Tools", removal_policy=RemovalPolicy.DESTROY)
        HealthOmicsRun(
            stack,
            "Run",
            workflow_id="1",
            output_uri="s3://bucket/runs",
            parameters={"reads": reads.attr_s3_uri},
        )

    deployment.deploy(declare)
    (run,) = deployment.runs()
    assert "/sequenceStore/" in run["parameters"]["reads"]
    deployment.destroy()
    assert deployment.active() == []
