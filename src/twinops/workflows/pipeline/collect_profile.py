"""Take a source in that comes as one whole table, unless it is switched off: then nothing is read of it."""

from twinops import plugins
from twinops.data.door import BatchRead
from twinops.errors import ParamsError
from twinops.params import ALL_ON, SwitchesParams
from twinops.workflows.intake import BATCH, Collected, Intake, nobody
from twinops.workflows.pipeline.collect import collect

SHELF = "twinops.data.sources"


def collect_profile(source: str, intake: Intake, on: SwitchesParams = ALL_ON) -> Collected:
    """Collect one of these sources, shipped or your own; see `collect`.

    Raises:
        ParamsError: there is no such source.
    """
    module = plugins.load(SHELF, source)
    if not (getattr(module, "WHOLE", False) or plugins.is_idea(module)):
        raise ParamsError(f"The source {source} does not come as one whole table.", hint="See dvc.yaml.")
    if on.off(source):
        return intake.take(BatchRead(nobody(module), 0), module, off=True)
    return collect(source, BATCH, intake)
