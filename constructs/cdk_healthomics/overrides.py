"""What others override in a resource, read before the template is written: the resource itself does not tell.

The template does tell, but where the answer is part of the template it would be rendered within itself.
"""

from aws_cdk import CfnResource, StringConcat


def noted(resource: CfnResource) -> StringConcat:
    """An object that every override of a resource's properties from now on is written into; ``Stack.resolve`` reads it.

    It is the CDK's only class of objects that have nothing of their own. The resource is overridden with it.
    """
    overrides = StringConcat()
    resource.add_override("Properties", overrides)
    return overrides
