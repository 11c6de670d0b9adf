"""Numbers as people and spreadsheets write them: with a decimal comma or point, and blanks or signs for thousands."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
import re
from typing import Final

from .history import ProblemKind
from .readings_cells import Cell, is_empty, text

_BLANKS: Final = " \u00a0\u2007\u2009\u202f'\u2019"
_SPACED: Final = re.compile(rf"^[+-]?\d{{1,3}}(?:[{_BLANKS}]\d{{3}})+(?:[.,]\d*)?$")
_NUMBER: Final = re.compile(r"^[+\-\u2212]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d{1,3})?$")
_OTHER: Final = {",": ".", ".": ","}
_GROUP: Final = 3
_THOUSAND: Final = 1000
LARGEST: Final = 10**12
"""No energy of a quarter-hour is a larger number than this, in any unit."""


class NumberError(ValueError):
    """A cell that holds no number, or one written otherwise than the rest of its column."""

    def __init__(self, kind: ProblemKind) -> None:
        super().__init__(kind)
        self.kind = kind


class NumberColumn:
    """Reads the numbers of one column, which are all written the same way.

    What "1.234" means can only be told from the rest of the column: it is a thousand and more if others of its numbers
    have a decimal comma and group their thousands.

    Parameters
    ----------
    cells
        All cells of the column.
    whole
        Whether its unit is so small that decimals are rare: then "1.234" is a thousand and more where smaller numbers
        of the column have no such sign. Where all of them have, as in 15.143 and 9.000, it stands before decimals.
    """

    def __init__(self, cells: Iterable[Cell], *, whole: bool = False) -> None:
        sure: Counter[str] = Counter()
        perhaps: Counter[str] = Counter()
        self._grouped = False
        is_bare = False
        for cell in cells:
            if not isinstance(cell, str) or is_empty(cell):
                continue
            written = _bare(cell)
            if not _NUMBER.match(written):
                continue
            sign, is_sure = _decimal_sign(written)
            is_bare |= sign is None and written.isdigit() and 0 < int(written) < _THOUSAND
            if sign:
                (sure if is_sure else perhaps)[sign] += 1
            self._grouped |= ("," in written and "." in written) or written.count(",") + written.count(".") > 1
        if sure:
            self._decimal = sure.most_common(1)[0][0]
        elif perhaps:
            sign = perhaps.most_common(1)[0][0]
            self._decimal = _OTHER[sign] if whole and is_bare else sign
        else:
            self._decimal = "."
        self._grouped |= whole and is_bare

    def read(self, cell: Cell) -> Decimal | None:
        """Return a cell's number; None if it is empty, which is not zero.

        Raises
        ------
        NumberError
            When it holds no number, or one that is written the other way.
        """
        if is_empty(cell):
            return None
        if isinstance(cell, (int, float)) and not isinstance(cell, bool):
            if not abs(cell) <= LARGEST:  # nor is what compares with nothing
                raise NumberError(ProblemKind.NOT_A_NUMBER)
            return Decimal(repr(round(cell, 9)))
        written = _bare(cell) if isinstance(cell, str) else ""
        if not _NUMBER.match(written):
            raise NumberError(ProblemKind.NOT_A_NUMBER)
        sign, is_sure = _decimal_sign(written)
        grouping = _OTHER[self._decimal]
        if sign == grouping:
            if is_sure or not self._grouped:
                raise NumberError(ProblemKind.MIXED_DECIMALS)
            written = written.replace(grouping, "")
        elif sign is not None:
            written = written.replace(grouping, "")
        elif "," in written or "." in written:
            raise NumberError(ProblemKind.NOT_A_NUMBER)
        number = Decimal(written.replace(self._decimal, ".").replace("\u2212", "-"))
        if abs(number) > LARGEST:
            raise NumberError(ProblemKind.NOT_A_NUMBER)
        return number


def _bare(cell: str) -> str:
    written = text(cell)
    return re.sub(rf"[{_BLANKS}]", "", written) if _SPACED.match(written) else written


def _decimal_sign(written: str) -> tuple[str | None, bool]:
    """Return the sign that stands before a number's decimals, and whether that is sure; None where there is none."""
    mantissa = re.split("[eE]", written.lstrip("+-\u2212"))[0]
    last = max(mantissa.rfind(","), mantissa.rfind("."))
    if last < 0:
        return None, True
    sign = mantissa[last]
    whole, decimals = mantissa[:last], mantissa[last + 1 :]
    other = _OTHER[sign]
    if other in whole:
        return (sign, True) if sign not in whole and _is_grouped(whole, other) else (None, True)
    if sign in whole:  # 1.234.567: these part thousands
        return (other, True) if _is_grouped(mantissa, sign) else (None, True)
    is_group = len(decimals) == _GROUP and 0 < len(whole) <= _GROUP and not whole.startswith("0")
    return sign, not is_group or mantissa != written.lstrip("+-\u2212")


def _is_grouped(whole: str, sign: str) -> bool:
    first, *others = whole.split(sign)
    return 0 < len(first) <= _GROUP and all(len(group) == _GROUP for group in others)
