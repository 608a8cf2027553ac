"""What a node is called as a part of a `torch.nn.Module`, and in its state dict."""

from keyword import iskeyword

_ATTRIBUTES = """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval
    extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules
    mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule
    share_memory spec state_dict to to_empty train training type xpu zero_grad
"""

RESERVED = frozenset(_ATTRIBUTES.split())
"""The attributes that a module has already; a test compares them with torch's."""


def attribute(part: str) -> str:
    """The attribute under which a part of a node's name stands in its module; other parts have other attributes.

    >>> attribute("conv2d"), attribute("float"), attribute("in"), attribute("float_")
    ('conv2d', 'float_', 'in_', 'float__')
    """
    stems = (part[:end] for end in range(len(part.rstrip("_")), len(part) + 1))
    return f"{part}_" if any(stem in RESERVED or iskeyword(stem) for stem in stems) else part


def place_of(node: str) -> str:
    """Where a node's module stands in the network's.

    >>> place_of("stage3/unit2/conv2d")
    'stage3.unit2.conv2d'
    """
    return ".".join(map(attribute, node.split("/")))


def state_key(node: str, weight: str) -> str:
    """The name of a node's array in the state dict.

    >>> state_key("stage3/unit2/conv2d", "weight")
    'stage3.unit2.conv2d.weight'
    """
    return f"{place_of(node)}.{weight}"
