"""A run whose inputs are in buckets of others, one of them encrypted with a key of its own.

    npx cdk deploy --app "python examples/inputs_elsewhere.py"

``run.grant_read_inputs()`` allows the run's role what its parameters name, and no more. What a bucket's key encrypts
needs a grant of the bucket that knows the key. A bucket or key of another account must allow the role as well.
"""

from aws_cdk import App, CfnOutput, Stack, aws_kms, aws_s3

from cdk_healthomics import HealthOmicsRun

app = App()
stack = Stack(app, "InputsElsewhere")
results = aws_s3.Bucket(stack, "Results")
key = aws_kms.Key.from_key_arn(
    stack, "Key", stack.format_arn(service="kms", resource="key", resource_name="1234abcd-12ab-34cd-56ef-1234567890ab")
)
patients = aws_s3.Bucket.from_bucket_attributes(stack, "Patients", bucket_name="encrypted-patients", encryption_key=key)

run = HealthOmicsRun(
    stack,
    "Run",
    workflow_id="1234567",
    output_uri=results.s3_url_for_object("runs"),
    parameters={
        "sample_name": "NA12878",
        "ref_fasta": "s3://public-references/hg38/hg38.fa",
        "ref_fasta_index": "s3://public-references/hg38/hg38.fa.fai",
        "panel": "s3://lab-panels/exome/",
        "reads": [patients.s3_url_for_object(f"NA12878/{mate}.fastq.gz") for mate in (1, 2)],
    },
)
results.grant_read_write(run.role)
run.grant_read_inputs()  # the reference and its index, and what is under s3://lab-panels/exome/
patients.grant_read(run.role, "NA12878/*")  # the reads, and the key to them
CfnOutput(stack, "RunId", value=run.run_id)
app.synth()
