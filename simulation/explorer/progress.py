"""How far a run is, in words that the browser is told through a socket, several times a second.

Each time that Streamlit makes a part of a page anew, a browser takes a twentieth of a second of a processor for it,
which a run of many nodes would have used; words that a line of JavaScript puts in place cost a tenth of that.
"""

import asyncio
import html
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from simulation.explorer.desk import DESK
from simulation.explorer.going import GoingRun

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

LOOK_EVERY_S: Final = 0.42
"""How often the browser is told what has changed."""

PATH: Final = "/progress"

ENDED: Final = "has_ended"
"""Key of a button that nobody sees: the page is made anew at once when it is told that the run has ended."""

_PAGE: Final = """
<style>
  .st-key-{ended} {{ display: none; }}
  .progress {{ contain: content; will-change: transform; }}
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
  window.potProgress?.socket?.close();
  const mine = window.potProgress = {};  // the latest one goes on, whichever of the boxes stays
  const put = (name, key, value) => document.querySelectorAll(".progress" + name).forEach(
    (part) => { if (part[key] !== value) part[key] = value; }  // each change is laid out and painted
  );
  const listen = () => {
    if (window.potProgress !== mine || !document.querySelector(".progress")) return;
    const socket = mine.socket = new WebSocket(location.origin.replace(/^http/, "ws") + "PATH");
    let goesOn = true;
    socket.onmessage = ({data}) => {
      const told = JSON.parse(data);
      goesOn = told.goes_on && window.potProgress === mine && document.querySelector(".progress") !== null;
      if (window.potProgress === mine) {
        put(" progress", "value", told.share);
        for (const name of ["chain", "seconds", "refused", "latest"])
          put("-" + name, "textContent", told[name]);
      }
      if (!goesOn) socket.close();
      if (!told.goes_on) document.querySelector(".st-key-ENDED button")?.click();
    };
    socket.onclose = () => { if (goesOn) setTimeout(listen, 1000); };  // a tunnel broke, or the explorer has ended
  };
  listen();
}
</script>
""".replace("PATH", PATH).replace("ENDED", ENDED)


def describe_progress(going: GoingRun | None) -> dict[str, float | str]:
    """Return what is told of a run: whether it goes on, the share of its chain that is done, and texts."""
    told = {"goes_on": going is not None and going.is_running, "share": 0.0}
    untold = dict.fromkeys(("chain", "seconds", "refused", "latest"), "")
    if going is None:
        return {**told, **untold}
    snapshot = going.snapshot
    if snapshot is None:
        loading = f"The run starts: for {time.monotonic() - going.started:.0f} s it has been loading what it needs."
        return {**told, **untold, "latest": loading}
    phase = snapshot.phase if told["goes_on"] else "ended"
    return {
        **told,
        "share": min(1.0, snapshot.height / snapshot.length),
        "chain": f"{snapshot.height} of {snapshot.length}",
        "seconds": f"{snapshot.seconds:,.2f}",
        "refused": f"{sum(snapshot.refused.values()):,}",
        "latest": f"{phase}; the latest: {snapshot.latest}" if snapshot.latest else phase,
    }


async def tell_progress(socket: "WebSocket") -> None:
    """Tell a page how far the run is, whenever that has changed, until it ends or the page is closed."""
    from starlette.websockets import WebSocketDisconnect  # noqa: PLC0415 - not installed everywhere

    await socket.accept()
    told, going = None, DESK.going  # the page is of this run, whichever is started later
    with suppress(WebSocketDisconnect):
        while (progress := describe_progress(going))["goes_on"]:
            if progress != told:
                told = progress
                await socket.send_json(progress)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    if (await socket.receive())["type"] == "websocket.disconnect":
                        return
        await socket.send_json(progress)
        await socket.close()


def write_progress(going: GoingRun) -> str:
    """Return the part of the page that tells it, in HTML, and goes on telling while the run goes on."""
    told = {name: html.escape(str(value)) for name, value in describe_progress(going).items()}
    return _PAGE.format(**told, ended=ENDED) + (_SCRIPT if going.is_running else "")
