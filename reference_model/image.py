"""Pictures: a small network that knows only where a pixel is paints what a text seeds.

Nothing of it was learned. The prompt draws the weights, and a palette of colours that
get along; the index moves what else the network is told. So all images of one prompt
are kin, and no two are the same.

Letters: H high and W wide in pixels, h and w of the coarse grid that is painted first,
N points of that grid.
"""

import hashlib
import io
import re
import struct
import zlib
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Size = tuple[int, int]  # width and height
PIXELS = 2**25  # in a picture that we open; a small file can unpack to far more

_GRID = 256  # points to the shorter side; what is painted is smooth enough for that
_LAYER = 12  # numbers that the network knows of a point in each of its layers
_SHADES = 1_024  # steps of a palette
_TILE = 8  # a variation is bent like a net of so many meshes to a side

_HUES = {  # degrees in OKLCH, of words that name a colour or a thing of that colour
    25: "red rose blood tomato cherry fire heart",
    60: "orange autumn fox carrot sunset desert",
    95: "yellow gold golden sun lemon honey sand wheat",
    145: "green grass forest tree leaf garden spring frog",
    195: "turquoise teal otter lake lagoon mint",
    245: "blue sea ocean sky water ice winter river rain",
    300: "purple violet night space galaxy dream plum",
    350: "pink flamingo blossom love flower",
}

_Floats = NDArray[np.float32]
_Bytes = NDArray[np.uint8]


class Facts(TypedDict):
    """What an upload is: the name of its format, its pixels and its alpha channel."""

    format: str
    width: int
    height: int
    alpha: Literal["transparent", "opaque", "none"]


def generate(prompt: str, size: Size, index: int = 0) -> bytes:
    """A PNG of ``size``, the same bytes whenever it is asked for."""
    return _png(_image(_painted(prompt, size, index)))


def edit(
    image: bytes, mask: bytes | None, prompt: str, size: Size, index: int = 0
) -> bytes:
    """A PNG of the image, painted where the mask (or, without one, it) has alpha 0.

    At the image's own size all else stays as it is. At another size all is resized
    first, and what lies on the edge of the hole is a mixture.
    """
    from PIL import ImageChops
    from PIL.Image import composite

    source = _opened(image).convert("RGBA")
    hole = _hole(_opened(mask).convert("RGBA") if mask else source)
    kept, hole = _resized(source, size), _resized(hole, size)
    new = _image(_painted(prompt, size, index)).convert("RGBA")
    mixed = composite(new, kept, hole)
    mixed.putalpha(ImageChops.add(kept.getchannel("A"), hole))
    return _png(mixed)


def vary(image: bytes, size: Size, index: int = 0) -> bytes:
    """A PNG like the image, a little bent and in a slightly other light.

    Thumbnails of 8 by 8 pixels differ by less than a fifth of what separates those of
    two pictures, on average.
    """
    from PIL.Image import Resampling, Transform, new

    source = _opened(image).convert("RGBA")
    paper = new("RGBA", source.size, "white")
    paper.alpha_composite(source)
    flat = _resized(paper, size).convert("RGB")
    rng = _rng(image, index)
    bent = flat.transform(size, Transform.MESH, _net(size, rng), Resampling.BICUBIC)
    light = 1 + rng.uniform(-0.06, 0.06, 3).astype(np.float32)
    return _png(_image((_array(bent) * light).clip(0, 255).astype(np.uint8)))


def describe(data: bytes) -> Facts:
    """The facts of an upload, once all of it is read; ValueError says what is wrong."""
    picture = _opened(data)
    if not picture.has_transparency_data:
        alpha: Literal["transparent", "opaque", "none"] = "none"
    else:
        lowest = picture.convert("RGBA").getchannel("A").tobytes()
        alpha = "opaque" if min(lowest) == 255 else "transparent"
    kind = (picture.format or "unknown").lower()
    return Facts(format=kind, width=picture.width, height=picture.height, alpha=alpha)


# Painting


def _painted(prompt: str, size: Size, index: int) -> _Bytes:
    """Colours (H, W, 3): where on the palette a pixel lies, and how the light falls."""
    width, height = size
    step = max(1, min(size) // _GRID)
    shape = (-(-height // step), -(-width // step))
    height_map, glow = _fields(prompt, shape, index)
    slope_y, slope_x = np.gradient(height_map)
    relief = np.asarray(slope_x + slope_y, np.float32) * min(shape)
    tone, light, shine = (_enlarged(each, size) for each in (height_map, relief, glow))
    places = (tone * (_SHADES - 1)).clip(0, _SHADES - 1).astype(np.int32)
    colours = _palette(prompt)[places]  # (H, W, 3)
    lit = 1 + 0.12 * np.tanh(light / 4) + 0.16 * (shine - 0.5)
    return (colours * lit[..., None]).clip(0, 255).astype(np.uint8)


def _fields(prompt: str, shape: tuple[int, int], index: int) -> tuple[_Floats, _Floats]:
    """Two maps (h, w) of values from 0 to 1, by a network of three layers."""
    weights, moves = _rng(prompt), _rng(prompt, index)
    points = _points(shape, weights, moves)  # (N, inputs)
    for depth in range(3):
        spread = 2.0 if depth else 2.6  # of a sum, so that curves stay wide
        inputs = points.shape[1]
        matrix = weights.normal(0, spread / inputs**0.5, (inputs, _LAYER))
        shift = weights.normal(0, 0.7, _LAYER) + moves.normal(0, 0.25, _LAYER)
        points = _bent(points @ matrix.astype(np.float32) + shift.astype(np.float32))
    matrix = weights.normal(0, 1, (_LAYER, 2)).astype(np.float32)
    tone, glow = (points @ matrix).T.reshape(2, *shape)
    return _spread(tone), _spread(glow)


def _points(
    shape: tuple[int, int], weights: np.random.Generator, moves: np.random.Generator
) -> _Floats:
    """What the network is told of each point (N, 3): two places and a distance."""
    h, w = shape
    rows, columns = np.mgrid[0:h, 0:w].astype(np.float32)
    y, x = (rows - h / 2) * (2 / min(h, w)), (columns - w / 2) * (2 / min(h, w))
    away = moves.uniform(-0.5, 0.5, 2).astype(np.float32)
    x, y = x + away[0], y + away[1]
    for _ in range(2):
        pull = weights.uniform((0.2, 0.2, 1, 1), (0.55, 0.55, 3, 3)).astype(np.float32)
        phase = moves.uniform(0, 1.5, 2).astype(np.float32)
        x = x + pull[0] * np.sin(pull[2] * y + phase[0])
        y = y + pull[1] * np.sin(pull[3] * x + phase[1])
    return np.stack([x, y, np.hypot(x, y)], axis=-1).reshape(-1, 3)


def _bent(values: _Floats) -> _Floats:
    """A third of the columns each through a bend, a wave and a bell."""
    bends = np.tanh(values[:, ::3])
    waves = np.sin(1.6 * values[:, 1::3])
    bells = np.exp(-(values[:, 2::3] ** 2)) * 2 - 1
    return np.hstack([bends, waves, bells])


def _spread(values: NDArray[np.floating]) -> _Floats:
    """Between 0 and 1, and stretched so that no colour goes unused."""
    low, middle, high = np.quantile(values[::3, ::3], (0.05, 0.5, 0.95))
    scaled = (values - middle) * (1.9 / max(high - low, 1e-6))
    return np.asarray(0.5 + 0.5 * np.tanh(scaled), np.float32)


def _enlarged(values: _Floats, size: Size) -> _Floats:
    """(h, w) to (H, W), with smooth curves between the points."""
    from PIL.Image import Resampling, fromarray

    return _array(fromarray(values.astype(np.float32)).resize(size, Resampling.BICUBIC))


# Colours


def _palette(prompt: str) -> _Floats:
    """Colours (_SHADES, 3) of 0 to 255, from dark to light around one hue."""
    rng = _rng(prompt, "palette")
    hue = _hue(prompt, float(rng.uniform(0, 360)))
    swing = float(rng.choice((-1, 1))) * float(rng.uniform(35, 75))
    accent = 180 if rng.random() < 0.4 else -1.6 * swing
    hues = hue + np.array([-swing, -swing / 2, 0, swing / 2, accent])
    lightness = np.array([0.20, 0.38, 0.60, 0.80, 0.93])
    chroma = np.array([0.06, 0.12, 0.15, 0.11, 0.05]) * rng.uniform(0.8, 1.15)
    stops = np.stack(
        [
            lightness,
            chroma * np.cos(np.radians(hues)),
            chroma * np.sin(np.radians(hues)),
        ]
    )
    fine = np.linspace(0, len(lightness) - 1, _SHADES)
    lab = np.stack([np.interp(fine, np.arange(len(lightness)), row) for row in stops])
    return _rgb(lab)


def _hue(prompt: str, otherwise: float) -> float:
    """Degrees; the first word that has a colour decides."""
    for word in re.findall(r"[a-z]+", prompt.lower()):
        for degrees, words in _HUES.items():
            if word in words.split():
                return degrees
    return otherwise


def _rgb(lab: NDArray[np.float64]) -> _Floats:
    """OKLab (3, n) to sRGB (n, 3), by the matrices of its author."""
    to_cones = np.array(
        [
            [1, 0.3963377774, 0.2158037573],
            [1, -0.1055613458, -0.0638541728],
            [1, -0.0894841775, -1.2914855480],
        ]
    )
    to_light = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    light = (to_light @ (to_cones @ lab) ** 3).clip(0, 1)
    bright = 1.055 * light ** (1 / 2.4) - 0.055
    curved = np.where(light < 0.0031308, 12.92 * light, bright)
    return (curved.T * 255).astype(np.float32)


# Files


def _opened(data: bytes) -> "Image":
    """A picture with all its pixels read; what Pillow raises becomes a ValueError."""
    from PIL import Image

    faults = (
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        IndexError,
        OverflowError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    )
    try:
        picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP"))
        if picture.width * picture.height > PIXELS:
            raise ValueError(f"expected at most {PIXELS} pixels, got {picture.size}")
        picture.load()
    except faults as error:
        raise ValueError(f"expected a whole picture, got {error}") from error
    return picture


def _hole(picture: "Image") -> "Image":
    """Where an RGBA picture has alpha 0: white in black."""
    return picture.getchannel("A").point(lambda alpha: 255 * (alpha == 0))


def _net(
    size: Size, rng: np.random.Generator
) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    """Boxes of the new picture, and the corners in the old one that fill them."""
    xs, ys = (np.linspace(0, side, _TILE + 1).astype(int) for side in size)
    knots = np.stack(np.meshgrid(xs, ys, indexing="ij"), axis=-1).astype(float)
    sway = rng.uniform(-0.35, 0.35, knots.shape) * min(size) / _TILE
    sway[[0, -1], :, 0] = sway[:, [0, -1], 1] = 0  # edges slide along themselves
    knots += sway
    return [
        (
            (int(xs[i]), int(ys[j]), int(xs[i + 1]), int(ys[j + 1])),
            (*knots[i, j], *knots[i, j + 1], *knots[i + 1, j + 1], *knots[i + 1, j]),
        )
        for i in range(_TILE)
        for j in range(_TILE)
    ]


def _resized(picture: "Image", size: Size) -> "Image":
    from PIL.Image import Resampling

    return picture if picture.size == size else picture.resize(size, Resampling.BICUBIC)


def _array(picture: "Image") -> _Floats:
    return np.asarray(picture, np.float32)


def _image(pixels: _Bytes) -> "Image":
    from PIL.Image import fromarray

    return fromarray(pixels)


def _png(picture: "Image") -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _rng(*parts: object) -> np.random.Generator:
    digest = hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
