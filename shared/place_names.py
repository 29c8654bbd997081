"""How people write the names of townships and villages, and when two spellings mean one place.

A spelling is compared in three strengths: as written, by stem and kind, by stem alone. Only places
are folded like this; names of persons are never touched.
"""

import re
from dataclasses import dataclass

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_COMMITTEE = re.compile(r"(?:(?:居民|村民)委员会|居委会|村委会|委员会)$")
_OFFICE = re.compile(r"(?:人民政府|办事处)$")
# Every ethnic township of Zhejiang is one of the She.
_PEOPLE = re.compile(r"畲族(?=[乡镇]$)")
_TOWNSHIP_KINDS = ("街道", "镇", "乡")


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A spelling taken apart: 周庄村村委会 is the stem 周庄 of the kind ``village``."""

    written: str
    stem: str
    kind: str | None

    def same_text(self, other: "PlaceName") -> bool:
        """Written alike but for spaces and full-width forms."""
        return self.written == other.written

    def same_kind(self, other: "PlaceName") -> bool:
        """One stem, and both say the same of what kind of place it is."""
        return self.kind is not None and (self.stem, self.kind) == (other.stem, other.kind)

    def same_stem(self, other: "PlaceName") -> bool:
        """One stem, whatever kind either says."""
        return bool(self.stem) and self.stem == other.stem


def township_name(spelling: str) -> PlaceName:
    """西屏, 西屏街道 and 西屏街道办事处 share the stem 西屏; 板桥乡 is 板桥畲族乡."""
    written = _folded(spelling)
    plain = _PEOPLE.sub("", _OFFICE.sub("", written))
    for kind in _TOWNSHIP_KINDS:
        if plain.endswith(kind) and len(plain) > len(kind):
            return PlaceName(written, plain.removesuffix(kind), kind)
    return PlaceName(written, plain, None)


def village_name(spelling: str) -> PlaceName:
    """周庄, 周庄村, 周庄村委会 and 周庄村村民委员会 share the stem 周庄.

    A 居委会 is a community as a 社区 is: 永晖社区居委会 and 永晖居委会 are alike in stem and kind.
    """
    written = _folded(spelling)
    committee = _COMMITTEE.search(written)
    stem = written[: committee.start()] if committee and committee.start() else written
    kind = None
    if stem != written and committee:
        kind = "community" if committee.group().startswith("居") else "village"
    for suffix, named in (("社区", "community"), ("村", "village")):
        if stem.endswith(suffix) and stem.rstrip(suffix):
            return PlaceName(written, _without(stem, suffix), named)
    return PlaceName(written, stem, kind)


def _without(stem: str, suffix: str) -> str:
    # 叶村村 and 叶村 are one place, for lists write both; a name is never eaten whole.
    while stem.endswith(suffix) and len(stem) > len(suffix):
        stem = stem.removesuffix(suffix)
    return stem


def _folded(spelling: str) -> str:
    return re.sub(r"\s+", "", spelling.translate(_FULL_WIDTH))
