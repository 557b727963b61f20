"""botocore's loader of service models, as the function and the checks at synth time use it."""

import botocore.loaders

from cdk_healthomics_handler.names import SERVICES


class Loader(botocore.loaders.Loader):
    """Knows which services it is asked for: to look for all that botocore has is a tenth of a cold start."""

    def list_available_services(self, type_name: str) -> list[str]:
        """The services that the function uses, of every kind of model."""
        del type_name
        return list(SERVICES)

    def is_builtin_path(self, path: str) -> bool:
        """All endpoints are botocore's own, cut: it goes by its rules, and not by the older list that was cut."""
        del path
        return True
