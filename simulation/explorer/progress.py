"""How far a run is, in words that the browser asks for by itself, several times a second.

Each time that Streamlit makes a part of a page anew, a browser takes a twentieth of a second of a processor for it,
which a run of many nodes would have used; words that a line of JavaScript puts in place cost next to nothing.
"""

import html
import time
from typing import Final

from simulation.explorer.going import GoingRun

LOOK_EVERY_MS: Final = 400
"""How often the browser asks."""

PATH: Final = "/progress"

_PAGE: Final = """
<style>
  .progress progress {{ appearance: none; width: 100%; height: 0.5rem; border: 0; background: #8884; }}
  .progress ::-webkit-progress-bar {{ background: #8884; }}
  .progress ::-webkit-progress-value {{ background: #0072b2; }}
  .progress ::-moz-progress-bar {{ background: #0072b2; }}
  .progress dl {{ display: grid; grid-template-columns: repeat(3, 1fr); margin: 0.5rem 0; padding: 0; }}
  .progress dl * {{ margin: 0; padding: 0; }}
  .progress dt {{ font-size: 0.875rem; grid-row: 1; font-weight: 400; }}
  .progress dd {{ font-size: 2.25rem; line-height: 1.3; font-variant-numeric: tabular-nums; }}
  .progress p {{ font-size: 0.875rem; opacity: 0.7; overflow-wrap: anywhere; min-height: 2.8em; margin: 0; }}
</style>
<div class="progress">
  <progress max="1" value="{share}"></progress>
  <dl>
    <dt>Employer's chain</dt><dd class="progress-chain">{chain}</dd>
    <dt>Seconds</dt><dd class="progress-seconds">{seconds}</dd>
    <dt>Refused</dt><dd class="progress-refused">{refused}</dd>
  </dl>
  <p class="progress-latest">{latest}</p>
</div>
"""

_SCRIPT: Final = """
<script>
{
  const mine = window.potProgress = {};  // the latest one goes on, whichever of the boxes stays
  const put = (name, key, value) => document.querySelectorAll(".progress" + name).forEach(
    (part) => { if (part[key] !== value) part[key] = value; }  // each change is laid out and painted
  );
  const look = async () => {
    if (window.potProgress !== mine || !document.querySelector(".progress")) return;
    try {
      const told = await (await fetch("PATH")).json();
      put(" progress", "value", told.share);
      for (const name of ["chain", "seconds", "refused", "latest"])
        put("-" + name, "textContent", told[name]);
    } catch { /* the explorer has ended, and Streamlit says so */ }
    setTimeout(look, EVERY);
  };
  look();
}
</script>
""".replace("PATH", PATH).replace("EVERY", str(LOOK_EVERY_MS))


def describe_progress(going: GoingRun | None) -> dict[str, float | str]:
    """Return what is told of a run: the share of its chain that is done, and texts."""
    untold = dict.fromkeys(("chain", "seconds", "refused", "latest"), "")
    if going is None:
        return {"share": 0.0, **untold}
    snapshot = going.snapshot
    if snapshot is None:
        loading = f"The run starts: for {time.monotonic() - going.started:.0f} s it has been loading what it needs."
        return {"share": 0.0, **untold, "latest": loading}
    phase = snapshot.phase if going.is_running else "ended"
    return {
        "share": min(1.0, snapshot.height / snapshot.length),
        "chain": f"{snapshot.height} of {snapshot.length}",
        "seconds": f"{snapshot.seconds:,.2f}",
        "refused": f"{sum(snapshot.refused.values()):,}",
        "latest": f"{phase}; the latest: {snapshot.latest}" if snapshot.latest else phase,
    }


def write_progress(going: GoingRun) -> str:
    """Return the part of the page that tells it, in HTML, and goes on telling while the run goes on."""
    told = {name: html.escape(str(value)) for name, value in describe_progress(going).items()}
    return _PAGE.format(**told) + (_SCRIPT if going.is_running else "")
