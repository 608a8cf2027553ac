"""Pictures: charts of what was counted, searched or trained, and blocks and networks as their papers draw them.

Each kind of picture is an entry of one register, which `archspec plot`, `.plot()` of the results, the page of all
pictures and the tests read. A chart is an Altair chart; a drawing is SVG of our own.

>>> [picture.name for picture in pictures_of("CostTable")]
['costs', 'roofline', 'blocks']
"""

from archspec.draw.register import PICTURES, Picture, picture, pictures_of, plotted

__all__ = ["PICTURES", "Picture", "picture", "pictures_of", "plotted"]
