"""The layout of a tree of pictures: its splits, its classes, and what is left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from explorer.data.dataset import DataError
from explorer.data.decoding import SUFFIXES
from explorer.data.file_tree import File, Tree
from explorer.data.images import TAKEN

TRAIN_WORDS = ("train", "training")
TEST_WORDS = ("test", "testing", "val", "valid", "validation", "dev", "eval", "evaluation", "holdout")
"""What people call the two splits; of several test splits, the one whose word comes first is taken."""
_BESIDE = frozenset({"set", "sets", "image", "images", "imgs", "img", "data", "dataset", "split", "seg"})
_NAMED = 3
_Path = tuple[str, ...]


@dataclass(frozen=True)
class SplitLayout:
    """Which picture belongs to which split and class.

    Attributes:
        classes: names, by label.
        splits: label and file of each picture, by split (train, test); one split alone is called by its word,
            or test.
        notes: what was decided and what is left out, as sentences.
    """

    classes: tuple[str, ...]
    splits: dict[str, list[tuple[int, File]]]
    notes: tuple[str, ...]


def split_word(name: str) -> str | None:
    """The word for a split in a folder's name, such as valid in 'valid_set'; None where there is none."""
    words = [word for word in re.split(r"[^a-z]+", name.lower()) if word]
    found = [word for word in words if word in TRAIN_WORDS + TEST_WORDS]
    return found[0] if len(found) == 1 and set(words) <= {found[0], *_BESIDE} else None


def preferred(names: Iterable[str]) -> list[str]:
    """Names of test splits, the one to be taken first."""
    return sorted(names, key=lambda name: (TEST_WORDS.index(split_word(name) or TEST_WORDS[-1]), name))


def laid_out(tree: Tree, known: Collection[str] = ()) -> SplitLayout:
    """Splits and classes of a tree with one folder of pictures per class.

    Args:
        tree: all its files.
        known: the classes in the order in which the dataset was added, which is kept.

    Raises:
        DataError: there are fewer than two classes, or the splits have different ones.
    """
    pictures = [file for file in tree.files if PurePath(file.path[-1]).suffix.lower() in SUFFIXES]
    if not pictures:
        raise DataError(
            f"{tree.root} holds no image that is taken ({TAKEN}): it needs one folder of images per class, "
            f"at least two.{_said_others(tree.files)}"
        )
    top = _wrapped(pictures, (), seek_splits=True)
    found = _by_folders(tree, pictures, top) or _by_classes(pictures, top)
    splits, notes = found if found else ({"test": _Part(top, pictures)}, [])
    classes, said = _classes(tree, splits, known)
    kept = {name: _labelled(part, classes) for name, part in splits.items()}
    notes = [*notes, *said, *_nested(kept, splits), *_outside(pictures, splits)]
    others = _said_others(set(tree.files) - set(pictures)).strip()
    return SplitLayout(classes, kept, (*notes, others) if others else tuple(notes))


@dataclass(frozen=True)
class _Part:
    """One split: the pictures below `top`, whose next folder is the class.

    Attributes:
        top: the folder.
        pictures: all below it.
        class_at: where in a picture's path its class stands.
    """

    top: _Path
    pictures: Sequence[File]

    @property
    def class_at(self) -> int:
        return len(self.top)


def _below(pictures: Iterable[File], top: _Path) -> list[File]:
    return [file for file in pictures if file.path[: len(top)] == top]


def _folders(pictures: Iterable[File], top: _Path) -> dict[str, list[File]]:
    """The pictures in each folder just below `top`, at any depth."""
    found: dict[str, list[File]] = {}
    for file in pictures:
        if file.path[: len(top)] == top and len(file.path) > len(top) + 1:
            found.setdefault(file.path[len(top)], []).append(file)
    return found


def _loose(pictures: Iterable[File], top: _Path) -> list[File]:
    """The pictures in `top` itself."""
    return [file for file in pictures if file.path[:-1] == top]


def _wrapped(pictures: Sequence[File], top: _Path, *, seek_splits: bool = False) -> _Path:
    """Down to where there is more than one folder of pictures; with `seek_splits`, or a split alone."""
    while True:
        inside = _folders(pictures, top)
        if len(inside) != 1 or _loose(pictures, top) or (seek_splits and any(map(split_word, inside))):
            return top
        below = (*top, *inside)
        if not _folders(pictures, below):
            return top
        top = below


def _by_folders(
    tree: Tree, pictures: Sequence[File], top: _Path
) -> tuple[dict[str, _Part], list[str]] | None:
    """Splits as folders of class folders: train/cat/1.png; None where there are none."""
    inside = _folders(pictures, top)
    named = {name: word for name in inside if (word := split_word(name))}
    labelled = {name for name in named if _folders(pictures, (*top, name))}
    others = [name for name in inside if name not in named]
    if named and not labelled and not others:
        raise DataError(
            f"{tree.root} has the splits {listed(sorted(named))}, but no folders of classes in them: put the "
            "images of each class into a folder of its own, such as train/cat."
        )
    train = sorted(name for name in labelled if named[name] in TRAIN_WORDS)
    test = preferred(name for name in labelled if named[name] in TEST_WORDS)
    if not labelled or (others and not (train and test)):
        return None  # a class may well be called train
    chosen = {"train": train[:1], "test": test[:1]}
    splits = {}
    for split, names in chosen.items():
        for name in names:
            below = _below(pictures, (*top, name))
            splits[split] = _Part(_wrapped(below, (*top, name)), below)
    notes = [f"The folder {names[0]}/ is the {split} split." for split, names in chosen.items()
             if names and names[0] != split]  # fmt: skip
    used = {name for names in chosen.values() for name in names}
    for name in sorted(set(inside) - used):
        why = "" if name not in named else ": another split is used" if name in labelled else (
            ": it has no folders of classes, so its images have no labels")  # fmt: skip
        notes.append(f"{name}/ ({_count(len(inside[name]))}) is left out{why}.")
    return splits, notes


def _by_classes(pictures: Sequence[File], top: _Path) -> tuple[dict[str, _Part], list[str]] | None:
    """Splits inside of each class: cat/train/1.png; None where there are none."""
    inside = _folders(pictures, top)
    words = [
        {word: name for name in _folders(files, (*top, cls)) if (word := split_word(name))}
        for cls, files in inside.items()
    ]
    common = set.intersection(*map(set, words)) if words else set()
    train = [word for word in TRAIN_WORDS if word in common]
    test = [word for word in TEST_WORDS if word in common]
    if not train or not test:
        return None
    splits, notes, used = {}, [], 0
    for split, word in (("train", train[0]), ("test", test[0])):
        below = [file for file in pictures if len(file.path) > len(top) + 2
                 and split_word(file.path[len(top) + 1]) == word]  # fmt: skip
        splits[split] = _Part(top, below)
        used += len(below)
        notes.append(f"The folders {word}/ inside of the classes are the {split} split.")
    if used < len(pictures):
        notes.append(f"In neither split, and left out: {_count(len(pictures) - used)} of the classes.")
    return splits, notes


def _classes(
    tree: Tree, splits: Mapping[str, _Part], known: Collection[str]
) -> tuple[tuple[str, ...], list[str]]:
    first, *rest = splits.items()
    inside = _folders(first[1].pictures, first[1].top)
    there = {split: _there(tree, part) for split, part in splits.items()}
    if set(inside) <= set(known) <= there[first[0]] | set(inside):
        inside = {name: inside.get(name, []) for name in known}  # as it was when it was added
    if len(inside) < 2:
        count = len(_loose(first[1].pictures, first[1].top))
        loose = f" Outside of such folders: {_count(count)}." if count else ""
        raise DataError(
            f"{tree.root.joinpath(*first[1].top)} needs one folder of images per class, at least two; it has "
            f"{len(inside)}.{loose}{_said_others(set(tree.files) - set(first[1].pictures))}"
        )
    for split, part in rest:
        _check_same(tree, part.top, split, inside, there[split], _folders(part.pictures, part.top))
    if known and set(known) == set(inside):
        return tuple(known), []
    classes, notes = ordered(inside)
    empty = sorted(there[first[0]] - set(inside))
    if empty:
        notes.append(f"No image is taken from {listed(f'{name}/' for name in empty)}.")
    notes += [f"{name}/ is taken as a class, not as a split." for name in classes if split_word(name)]
    return classes, notes


def ordered(names: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """Classes by number where all names are numbers, else by letters; and what is to be said of it."""
    by_letters = tuple(sorted(names))
    if all(re.fullmatch(r"\d{1,18}", name) for name in by_letters):
        by_number = tuple(sorted(by_letters, key=lambda name: (int(name), name)))
        if by_number != by_letters:
            return by_number, [f"The classes are numbers, and in their order: {listed(by_number)}."]
        return by_letters, []
    natural = sorted(by_letters, key=lambda name: [
        (part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"([0-9]+)", name)
    ])  # fmt: skip
    if natural != list(by_letters):
        return by_letters, [f"The classes are in the order of letters: {listed(by_letters)}."]
    return by_letters, []


def _there(tree: Tree, part: _Part) -> set[str]:
    """The folders just below a split's top, whether they hold pictures or not."""
    at = part.class_at
    folders = {folder[at] for folder in tree.folders if folder[:at] == part.top and len(folder) == at + 1}
    return folders | set(_folders(part.pictures, part.top))


def _check_same(
    tree: Tree, top: _Path, split: str, classes: Collection[str], there: set[str], taken: Collection[str]
) -> None:
    missing, more = sorted(set(classes) - there), sorted(set(taken) - set(classes))
    if missing or more:
        which = f"The folder {'/'.join((*top, missing[0]))} is missing" if missing else ""
        raise DataError(
            f"{which or f'Only {split} has a class {more[0]!r}'} in {tree.root}: every split needs the same "
            "classes."
        )


def _labelled(part: _Part, classes: Sequence[str]) -> list[tuple[int, File]]:
    labels = {name: label for label, name in enumerate(classes)}
    at = part.class_at
    found = [
        (labels[file.path[at]], file)
        for file in part.pictures
        if len(file.path) > at + 1 and file.path[at] in labels
    ]
    return sorted(found, key=lambda pair: (pair[0], pair[1].path[at + 1 :]))


def _nested(kept: Mapping[str, list[tuple[int, File]]], splits: Mapping[str, _Part]) -> list[str]:
    deeper: dict[str, int] = {}
    for split, files in kept.items():
        at = splits[split].class_at
        for _, file in files:
            inner = file.path[at + 1 : -1]
            if inner and not split_word(inner[0]):
                place = "/".join(file.path[at:-1])
                deeper[place] = deeper.get(place, 0) + 1
    if not deeper:
        return []
    return [
        f"Folders inside of a class ({listed(sorted(deeper))}) hold {_count(sum(deeper.values()))}, taken as "
        "that class's."
    ]


def _outside(pictures: Sequence[File], splits: Mapping[str, _Part]) -> list[str]:
    """Pictures that lie in no class's folder: beside the classes, or above the splits."""
    tops = {part.top for part in splits.values()}
    above = {top[:depth] for top in tops for depth in range(len(top) + 1)}
    loose = [file for file in pictures if file.path[:-1] in above]
    if not loose:
        return []
    names = listed("/".join(file.path) for file in loose)
    return [f"Outside of the classes' folders, and left out: {_count(len(loose))}: {names}."]


def _said_others(files: Collection[File]) -> str:
    """What else is there, by kind; '' where there is nothing."""
    others = [file for file in sorted(files, key=lambda file: file.path)
              if PurePath(file.path[-1]).suffix.lower() not in SUFFIXES]  # fmt: skip
    if not others:
        return ""
    kinds = Counter(PurePath(file.path[-1]).suffix.lower() or "without an ending" for file in others)
    each = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(_NAMED + 2))
    names = listed("/".join(file.path) for file in others)
    one = len(others) == 1
    return (
        f" {len(others)} other file{'' if one else 's'} ({each}) {'is' if one else 'are'} not taken: {names}."
    )


def _count(number: int) -> str:
    return f"{number:,} image{'' if number == 1 else 's'}"


def listed(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    every = list(names)
    more = len(every) - _NAMED
    return ", ".join(every[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
