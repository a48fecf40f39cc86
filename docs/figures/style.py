"""What the figures share: each is drawn twice, for light and for dark pages, from the numbers of one run."""

import pathlib

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

MIB = 1 << 20
THEMES = {
    "light": {"ink": "#333a42", "faint": "#c4cad1", "paper": "#ffffff", "cold": "#e8eef5", "hot": "#b3261e", "warm": "#f0a35e"},
    "dark": {"ink": "#cfd6de", "faint": "#4a525c", "paper": "#131416", "cold": "#252b33", "hot": "#ff8a65", "warm": "#8c4a2f"},
}
LINES = {"light": ("#1f6fb2", "#c2571a", "#3c8d40", "#7b4fa3"), "dark": ("#6db3f2", "#f2a065", "#7fcf83", "#c3a1e6")}


class Theme:
    """Colours of one of the two themes."""

    def __init__(self, name):
        for key, value in THEMES[name].items():
            setattr(self, key, value)
        self.lines = LINES[name]
        self.heat = LinearSegmentedColormap.from_list("heat", [self.cold, self.warm, self.hot])

    def settings(self):
        return {
            "svg.fonttype": "none",
            "svg.hashsalt": "libdamon",
            "font.family": "sans-serif",
            "font.size": 10,
            "axes.titlesize": 10,
            "axes.titlelocation": "left",
            "axes.edgecolor": self.ink,
            "axes.labelcolor": self.ink,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": self.ink,
            "xtick.color": self.ink,
            "ytick.color": self.ink,
            "legend.frameon": False,
            "grid.color": self.faint,
            "grid.linewidth": 0.6,
        }


def save(folder, name, draw, *, size, rows=1, **subplots):
    """draw(figure, axes, theme) draws once for each theme; NAME-light.svg and NAME-dark.svg are written."""
    for theme_name in THEMES:
        theme = Theme(theme_name)
        with plt.rc_context(theme.settings()):
            figure, axes = plt.subplots(rows, 1, figsize=size, layout="constrained", **subplots)
            draw(figure, axes, theme)
            path = pathlib.Path(folder, f"{name}-{theme_name}.svg")
            figure.savefig(path, transparent=True, metadata={"Date": None})
            plt.close(figure)


def heat_of(ax, snapshots, theme, *, times, unit=MIB):
    """Regions of each snapshot as bars, one column a window: colour is the share of samples that found an access."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    bars, shares = [], []
    for snapshot, (begin, end) in zip(snapshots, times):
        for region in snapshot:
            bars.append(Rectangle((begin, region.start / unit), end - begin, region.size / unit))
            shares.append(region.nr_accesses / snapshot.max_nr_accesses)
    drawn = PatchCollection(bars, cmap=theme.heat, linewidth=0, edgecolor="face", rasterized=True, antialiased=False)
    drawn.set_array(shares)
    drawn.set_clim(0, 1)
    ax.add_collection(drawn)
    return drawn


def edges_of(ax, snapshots, theme, *, times, unit=MIB):
    """The borders between regions as thin lines; one that stays where it is is one line."""
    open_since, lines = {}, []
    for snapshot, (begin, end) in zip(snapshots, times):
        here = {region.end for region in snapshot[:-1]}
        lines += [(edge, *open_since.pop(edge)) for edge in set(open_since) - here]
        for edge in here:
            open_since[edge] = (open_since.get(edge, (begin,))[0], end)
    lines += [(edge, *span) for edge, span in open_since.items()]
    lines.sort()
    ax.hlines([edge / unit for edge, _, _ in lines], [b for _, b, _ in lines], [e for _, _, e in lines], color=theme.ink, linewidth=0.35)
