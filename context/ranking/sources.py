"""Where candidates come from.  Each source says what it found, how much that counts, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..facts import TYPE_KINDS, Definition
from ..index.answers import Located
from .affinity import Affinity
from .chains import Chain
from .lookup import Lookup, is_aside, nearness
from .modules import Modules
from .scene import Scene
from .shapes import Shape, Shapes

MAX_NAMES = 40
MAX_SIMILAR_FILES = 3
_MAX_NAMESAKES = 6
"""A name with more definitions tells nothing about which is meant."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One definition, found by one source."""

    located: Located
    weight: float
    """0 to 1."""
    why: str
    fits: float = 0.0
    """How much of the weight depends on how well its name fits here, 0 to 1."""


class Sources:
    """For one question."""

    def __init__(self, scene: Scene, lookup: Lookup, affinity: Affinity) -> None:
        self._scene = scene
        self._lookup = lookup
        self._affinity = affinity
        self._modules = Modules(scene, lookup)
        self._shapes = Shapes(scene, lookup, self._modules)

    def at_cursor(self) -> Iterator[Finding]:
        """What can stand where the cursor is: members of what stands before the dot, or an import's names."""
        scene = self._scene
        if scene.receiver is not None:
            told = text_of(scene.receiver)
            for shape in self._shapes.of_chain(scene.receiver):
                what = f"in {shape.name}, which is {told}" if shape.is_module else f"member of {shape.name}"
                for one, weight in self._shapes.members(shape):
                    yield Finding(
                        one, weight, what if shape.is_module else f"{what}, the type of {told}", 0.7
                    )
        if scene.importing is not None:
            for one in self._modules.exports(self._modules.module(scene.importing, scene.path)):
                yield Finding(one, 0.9, f"in {scene.importing.module}, which is imported here", 0.6)

    def call(self) -> Iterator[Finding]:
        """The signature of what is being called, and what its parameters may be."""
        callee = self._scene.callee
        if callee is None:
            return
        name = callee.links[-1].name
        for one, weight in self._called(callee):
            yield Finding(one, 0.8 * weight, f"{name} is being called")
            yield from self._of_parameters(one, 0.45 * weight)

    def names(self) -> Iterator[Finding]:
        """The definitions of names round the cursor, and the members of those that are types."""
        scene = self._scene
        for nth, (name, weight) in enumerate(scene.names.items()):
            if nth >= MAX_NAMES:
                return
            if name == scene.partial:
                continue
            for one, share in self._meant_by(name):
                yield Finding(one, 0.5 * weight * share, f"{name} is used near the cursor")
                if one.definition.kind in TYPE_KINDS:
                    shape = Shape(one.definition.name, one.path, weight * share)
                    why = f"member of {name}, used near the cursor"
                    for member, _ in self._shapes.members(shape):
                        yield Finding(member, 0.3 * weight * share, why, 0.9)

    def variables(self) -> Iterator[Finding]:
        """The members of what the variables in sight are."""
        scene = self._scene
        for nth, (name, weight) in enumerate(scene.names.items()):
            if nth >= MAX_NAMES // 2:
                return
            if not scene.bindings_of(name):
                continue
            for shape in self._shapes.of_expression(name)[:2]:
                if shape.is_module:
                    continue
                why = f"member of {shape.name}, the type of {name}"
                for member, share in self._shapes.members(shape):
                    yield Finding(member, 0.3 * weight * share, why, 0.9)

    def own_type(self) -> Iterator[Finding]:
        """What the type being written inherits."""
        own = self._scene.own_type
        if not own:
            return
        shape = Shape(own.rpartition(".")[2], self._scene.path, 1.0)
        for member, weight in self._shapes.members(shape):
            yield Finding(member, 0.3 * weight, f"inherited by {own}", 0.6)

    def imports(self) -> Iterator[Finding]:
        """What is imported; most of all what is not used yet: the next lines will use it."""
        scene = self._scene
        for name in scene.imported:
            is_unused = not scene.used.get(name)
            near = scene.names.get(name, 0.0)
            definitions, files = self._modules.imported(name)
            weight = 0.6 if is_unused else 0.12 + 0.3 * near
            why = f"{name} is imported and not used yet" if is_unused else f"{name} is imported"
            for one in definitions[:1]:
                yield Finding(one, weight, why, 0.2)
                if one.definition.kind in TYPE_KINDS and (is_unused or near > 0.1):
                    shape = Shape(one.definition.name, one.path, weight)
                    for member, share in self._shapes.members(shape):
                        yield Finding(member, 0.4 * share, f"member of {name}, which is imported", 0.9)
            if files and (is_unused or near > 0.2) and nearness(files[0], scene.path) > -2:
                for one in self._modules.exports(files):
                    yield Finding(one, 0.6 * weight, f"in {name}, which is imported", 0.8)

    def similar(self) -> Iterator[Finding]:
        """What files use that are much like the surroundings: by BM25, and by shared names (Jaccard)."""
        scene = self._scene
        near = [name for name, weight in scene.names.items() if weight > 0.1][:24]
        hits = self._lookup.search(near, 3 * MAX_SIMILAR_FILES)
        own = frozenset(near)
        shares = {
            path: _jaccard(len(own), *self._lookup.shared_with(path, own))
            for path in hits[: MAX_SIMILAR_FILES + 2]
        }
        ranked = fuse([hits, sorted(shares, key=lambda path: (-shares[path], path))])[:MAX_SIMILAR_FILES]
        for nth, path in enumerate(ranked):
            weight = 0.25 * 0.85**nth * (0.6 if is_aside(path) and not is_aside(scene.path) else 1.0)
            for one in self._lookup.definitions_in(path):
                if self._affinity.touches(one.name):
                    yield Finding(Located(path, one), weight, f"{path} is similar", 0.95)

    def recent(self) -> Iterator[Finding]:
        """Where the person has just been."""
        seen: set[str] = set()
        for nth, visit in enumerate(self._scene.question.recent[:12]):
            if visit.path == self._scene.path:
                continue
            weight = (0.45 if visit.edited else 0.25) * 0.85**nth
            why = f"{visit.path} was just {'edited' if visit.edited else 'visited'}"
            for one in self._lookup.definitions_in(visit.path):
                if one.line <= visit.line <= one.end_line:
                    yield Finding(Located(visit.path, one), weight, why, 0.3)
                elif visit.path not in seen and not one.parent:
                    yield Finding(Located(visit.path, one), 0.4 * weight, why, 0.9)
            seen.add(visit.path)

    def _meant_by(self, name: str) -> Sequence[tuple[Located, float]]:
        """The definitions elsewhere that a bare name may mean."""
        scene = self._scene
        if name in scene.imported:
            definitions, _ = self._modules.imported(name)
            return [(one, 1.0 if nth == 0 else 0.4) for nth, one in enumerate(definitions)]
        if name in scene.local_names or len(name) < 3 or scene.bindings_of(name):
            return ()
        found = [one for one in self._lookup.named(name) if one.path != scene.path]
        if not found or len(found) > _MAX_NAMESAKES:
            return ()
        alone = [one for one in found if not one.definition.parent or one.definition.kind in TYPE_KINDS]
        if alone:
            return [(one, 0.8) for one in self._lookup.nearest(alone, scene.path)[:1]]
        return [(one, 0.4) for one in found if len(found) == 1 and one.definition.kind == "method"]

    def _called(self, callee: Chain) -> Iterator[tuple[Located, float]]:
        last = callee.links[-1]
        if len(callee.links) == 1:
            yield from self._meant_by(last.name)
            return
        for shape in self._shapes.of_chain(Chain(callee.links[:-1], callee.start))[:2]:
            for one, weight in self._shapes.members(shape):
                if one.definition.name == last.name:
                    yield one, weight

    def _of_parameters(self, one: Located, weight: float) -> Iterator[Finding]:
        inside = one.definition.signature.partition("(")[2]
        for shape in self._shapes.of_type(inside, one.path)[:4]:
            for located in self._lookup.types(shape.name, shape.path)[:1]:
                why = f"a parameter of {one.definition.name}, which is being called"
                yield Finding(located, weight * shape.weight, why)
                for member, share in self._shapes.members(shape):
                    yield Finding(member, 0.4 * weight * share, why, 0.9)


def fuse(rankings: Sequence[Sequence[str]], k: float = 60.0) -> list[str]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009); ties by text."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for nth, one in enumerate(ranking):
            scores[one] = scores.get(one, 0.0) + 1.0 / (k + nth + 1)
    return sorted(scores, key=lambda one: (-scores[one], one))


def text_of(chain: Chain) -> str:
    """For a person: `self.rows.find()`."""
    return ".".join(link.name + ("()" if link.is_called else "") for link in chain.links)


def is_shown(definition: Definition) -> bool:
    """Worth a line of its own."""
    return bool(definition.signature) and definition.kind != "module"


def is_hidden(definition: Definition, path: str, importer: str) -> bool:
    """Not meant to be seen from `importer`, by the rules of the language."""
    if path.endswith(".go"):
        return not definition.name[:1].isupper() and path.rpartition("/")[0] != importer.rpartition("/")[0]
    if path.endswith(".rs"):
        is_open = definition.kind in ("variant", "macro") or definition.signature.startswith(("pub", "#"))
        return not is_open and not definition.parent
    return definition.signature.startswith("private ")


def _jaccard(num_own: int, num_shared: int, num_others: int) -> float:
    return num_shared / (num_own + num_others - num_shared) if num_own else 0.0
