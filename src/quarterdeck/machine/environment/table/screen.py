"""The screen and the viewer."""

from quarterdeck.machine.environment.kinds import FLAG, NAMES, PATH, PORT, TEXT, choice, matching
from quarterdeck.machine.environment.variable import Variable

_TOKEN = matching(r"\S{16,512}", "16 signs or more without spaces")
_NO = ("n", "no", "off", "0")


def _inner_port(name: str, number: int) -> Variable:
    what = "Everything goes through the viewer's port"
    return Variable(name=name, kind=PORT, what=what, instead="leave it out, and publish WEB_PORT only", quiet=(str(number),))


VARIABLES = (
    Variable(
        name="DISPLAY",
        kind=TEXT,
        default="`web`",
        what="`web`; `spice` for both, by a port of its own; `none` for no screen; `disabled` keeps the screen and serves no viewer.",
    ),
    Variable(
        name="VGA",
        kind=TEXT,
        default="`virtio`",
        what="`virtio`, `std`, `qxl`, `cirrus`, `vmware`, `ramfb`, `none`, or QEMU's name of a device.",
    ),
    Variable(
        name="RESOLUTION",
        kind=matching(r"[1-9]\d{2,3}x[1-9]\d{2,3}", "WIDTHxHEIGHT, such as 1280x800"),
        what="Preferred size of the screen.",
        ours=True,
    ),
    Variable(name="SPICE_PORT", kind=PORT, default="`5930`", what="The port of SPICE, with `DISPLAY=spice`: publish it, too.", ours=True),
    Variable(
        name="SPICE_TLS",
        kind=PATH,
        what="A folder with ca-cert.pem, server-cert.pem and server-key.pem: SPICE then speaks TLS.",
        ours=True,
    ),
    Variable(name="LOSSY", kind=FLAG, what="The viewer chooses the quality of its picture", instead="choose it in the viewer", quiet=_NO),
    Variable(name="GPU", kind=FLAG, default="`N`", what="Draw the guest's OpenGL by the host's GPU: `--device /dev/dri/renderD128`."),
    Variable(name="RENDERNODE", kind=PATH, default="the first", what="Which render node `GPU` draws by."),
    Variable(name="AUDIO", kind=FLAG, what="There is no sound in the viewer", instead="leave it out", quiet=_NO),
    Variable(name="WEB", kind=FLAG, default="`Y`", what="The viewer."),
    Variable(name="WEB_PORT", kind=PORT, default="`8006`", what="The viewer's port."),
    _inner_port("VNC_PORT", 5900),
    _inner_port("WSS_PORT", 5700),
    _inner_port("WSD_PORT", 8004),
    _inner_port("AUX_PORT", 8003),
    Variable(name="PROTECT", kind=FLAG, default="`Y`", what="The viewer always asks who one is, unless `VIEWER_OPEN` says otherwise."),
    Variable(name="USERNAME", kind=TEXT, what="The viewer's user name, with `PASSWORD`."),
    Variable(
        name="PASSWORD", kind=TEXT, aliases=("PASS",), secret=True, what="The viewer's password.", default="a one-time link in the log"
    ),
    Variable(name="VIEWER_OPEN", kind=FLAG, default="`N`", what="`Y` lets everybody in who reaches the port.", ours=True),
    Variable(name="VIEWER_NAMES", kind=NAMES, what="Host names that browsers reach the viewer by, such as a reverse proxy's.", ours=True),
    Variable(name="TOKEN", kind=_TOKEN, secret=True, what="A token that lets programs and links in, of 16 signs or more.", ours=True),
    Variable(name="VIEW_TOKEN", kind=_TOKEN, secret=True, what="A token that lets look only.", ours=True),
    Variable(
        name="TLS",
        kind=choice("off", "generated", "files", "n", "y"),
        default="`off`",
        what="HTTPS: with a certificate made here, or with `TLS_CERT`.",
        ours=True,
    ),
    Variable(name="TLS_CERT", kind=PATH, what="A certificate in PEM, with `TLS_KEY`.", ours=True),
    Variable(name="TLS_KEY", kind=PATH, what="Its key.", ours=True),
)
