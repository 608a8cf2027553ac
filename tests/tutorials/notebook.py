"""Executes a notebook without a kernel: its cells in one scope, the last expression of each shown as Jupyter would."""

import ast
import contextlib
import copy
import io

FORMS = {"text/html": "_repr_html_", "text/latex": "_repr_latex_"}


def executed(book):
    """The notebook with what its cells print and show now."""
    done, scope, number = copy.deepcopy(book), {"__name__": "notebook"}, 0
    for cell in done["cells"]:
        if cell["cell_type"] == "code":
            number += 1
            cell["execution_count"] = number
            cell["outputs"] = _run("".join(cell["source"]), scope, number)
    return done


def _run(source, scope, number):
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(tree, f"<cell {number}>", "exec"), scope)  # noqa: S102  # our own notebook
        value = last and eval(compile(ast.Expression(last.value), f"<cell {number}>", "eval"), scope)  # noqa: S307
    shown = [{"output_type": "stream", "name": "stdout", "text": lines(out.getvalue())}] if out.getvalue() else []
    if value is not None:
        data = {form: lines(getattr(value, name)()) for form, name in FORMS.items() if hasattr(value, name)}
        data["text/plain"] = lines(repr(value))
        shown.append({"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data})
    return shown


def lines(text):
    """A text as notebooks hold it."""
    return text.splitlines(keepends=True)


def outputs(book):
    """What all cells print and show."""
    return [cell["outputs"] for cell in book["cells"] if cell["cell_type"] == "code"]
