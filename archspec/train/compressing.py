"""A training that makes of a network what a plan of compression says: which methods, in which order."""

from archspec.compress.plan import Plan
from archspec.errors import ArchspecError
from archspec.train import recipe

METHODS = ("prune", "share", "quantise")
"""The methods that a plan is for, by their keys; each takes the plan's name or file."""


def wanted(plan: Plan) -> tuple[str, ...]:
    """Which of them a plan asks for: densities, shared numbers, levels.

    >>> from archspec.compress.plan import load
    >>> wanted(load("lenet_5")), wanted(load("int8"))
    (('prune', 'share'), ('quantise',))
    """
    asked = {
        "prune": any(layer.density < 1 for layer in plan.layers),
        "share": any(layer.weight_bits for layer in plan.layers),
        "quantise": any(layer.linear_bits for layer in plan.layers),
    }
    return tuple(method for method in METHODS if asked[method])


def default_for(network: str, plan: Plan) -> recipe.Recipe:
    """The recipe `compress_NETWORK`, if there is one with a method for all that the plan asks for, else `compress`.

    >>> from archspec.compress.plan import load
    >>> [default_for("lenet_5", load(plan)).doc.split(":")[0] for plan in ("lenet_5", "int8")]
    ['prune_lenet_5 and share_lenet_5 in one run', 'any network, from a trained run; a first try']
    """
    own = f"compress_{network}"
    if own in recipe.names():
        found = recipe.load(own)
        if {*wanted(plan)} <= {method.key for stage in found.staged() for method in stage.methods}:
            return found
    return recipe.load("compress")


def by_plan(chosen: recipe.Recipe, name: str, plan: Plan) -> recipe.Recipe:
    """A recipe whose methods are for a plan: stages of what the plan does not ask for are left out.

    Args:
        chosen: The recipe.
        name: What the plan is called, as methods take it: a name or a file.
        plan: The plan.

    Raises:
        ArchspecError: The plan has nothing that is trained, or the recipe no stage for anything that it has.

    >>> from archspec.compress.plan import load
    >>> made = by_plan(recipe.load("compress"), "int8", load("int8"))
    >>> [(stage.methods[0].key, stage.methods[0].plan) for stage in made.staged()]
    [('quantise', 'int8')]
    """
    asked = wanted(plan)
    if not asked:
        hint = "; archspec train SPEC --plan is for its one-bit layers" if any(x.binary for x in plan.layers) else ""
        raise ArchspecError(f"the plan {plan.name} has nothing to train: no densities, shared numbers or levels{hint}")

    def of(part: recipe.Recipe) -> recipe.Recipe:
        own = {key: getattr(part, key) for key in METHODS}
        change = {
            key: (method.model_copy(update={"plan": name}) if key in asked else None)
            for key, method in own.items()
            if method is not None
        }
        return part.model_copy(update=change) if change else part

    found = of(chosen).model_copy(
        update={"stages": tuple(each for stage in chosen.stages if (each := of(stage)).methods or not stage.methods)}
    )
    if not any(method.key in METHODS for stage in found.staged() for method in stage.methods):
        raise ArchspecError(f"the recipe has no {' or '.join(asked)}, which the plan {plan.name} is about")
    return found
