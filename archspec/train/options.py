"""How a training is run, as opposed to what is trained: nothing here changes the weights beyond rounding."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How a training is run.

    Attributes:
        resume: Continue the run in the folder.
        resize: Fit the images to the network's input; see `archspec.train.data.load`.
        device: "auto" for a GPU where there is one, "cpu", or a device such as "cuda:1".
        compile: Let torch.compile translate the model.
        channels_last: Keep images with their channels innermost.
        save_steps: Save after every so many steps; 0 for at the ends of epochs and after `save_seconds` only.
        save_seconds: Save when this much time has passed since the last time.
        tensorboard: Write for TensorBoard too.
    """

    resume: bool = False
    resize: bool = False
    device: str = "auto"
    compile: bool = False
    channels_last: bool = False
    save_steps: int = 0
    save_seconds: float = 300.0
    tensorboard: bool = False
