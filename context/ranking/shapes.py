"""From an expression to what it may be: instances of types, or modules; and from those to their members.

No type checker: declared types, constructors, annotations and names are followed as far as they are
written down, a few steps deep.  What is not found is left out; what is uncertain weighs less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..facts import TYPE_KINDS, Definition
from ..index.answers import Located
from .chains import Chain, Link, chain_of
from .lookup import Lookup, last_word
from .modules import Modules, words_of_module
from .scene import Scene

MAX_DEPTH = 6
MAX_BASES = 3
_MAX_SHAPES = 6
_HANDED_ON = 0.8
_SURE = 0.9
"""What is less likely is compared with what the name says."""

_TYPE_NAME = re.compile(r"[^\W\d]\w*(?:(?:\.|::)[^\W\d]\w*)*")
_OWN = frozenset({"self", "this", "cls", "Self", "static", "@"})
_PARENT = frozenset({"super", "base", "parent"})
_PRIMITIVES = frozenset(
    re.findall(
        r"\w+",
        """
        str int float bool bytes None Any dict list set tuple type object string number boolean void any
        unknown error usize u8 u16 u32 u64 i32 i64 f64 String char byte long double readonly const typeof
        keyof null undefined dyn impl mut map chan func fn where extends super
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What an expression may be."""

    name: str
    """Of the type (its own name) or the module."""
    path: str
    """The file that defines it; the first of a module's files."""
    weight: float
    """How likely, 0 to 1."""
    files: tuple[str, ...] = ()
    """Of a module; empty for a type."""

    @property
    def is_module(self) -> bool:
        return bool(self.files)


class Shapes:
    """For one question; asks the index through `lookup`."""

    def __init__(self, scene: Scene, lookup: Lookup, modules: Modules) -> None:
        self._scene = scene
        self._lookup = lookup
        self._modules = modules
        self._bases: dict[tuple[str, str], tuple[Shape, ...]] = {}
        self._under_way: set[tuple[str, str]] = set()

    def of_chain(self, chain: Chain | None, depth: int = 0) -> tuple[Shape, ...]:
        """What the whole chain may be, likeliest first."""
        if chain is None or depth > MAX_DEPTH:
            return ()
        if chain.is_path and self._scene.path.endswith(".rs") and (found := self._of_path(chain)):
            return found
        shapes = self._of_root(chain.links[0], depth)
        for link in chain.links[1:]:
            near = shapes[0].path if shapes else self._scene.path
            found = self._step(shapes, link, depth) or self._by_member_name(link, near)
            # What no file of the workspace defines, `unwrap()` or `get()`, mostly hands on what it has.
            shapes = found or tuple(_weighed(one, _HANDED_ON) for one in shapes if not one.is_module)
        return shapes

    def of_expression(self, expression: str, depth: int = 0) -> tuple[Shape, ...]:
        return self.of_chain(chain_of(expression), depth)

    def of_type(self, text: str, importer: str, weight: float = 1.0) -> tuple[Shape, ...]:
        """The types a written type speaks of, the outermost first; unknown ones drop out."""
        found: list[Shape] = []
        for name in _TYPE_NAME.findall(text)[:8]:
            own = last_word(name)
            if own in _PRIMITIVES or len(own) < 2:
                continue
            words = self._words_for(own, name, importer)
            for nth, one in enumerate(self._lookup.types(own, importer, words)):
                found += self._unaliased(one, weight * (0.5 if nth else 1.0))
            weight *= 0.75
        return _merged(found)

    def members(self, shape: Shape) -> tuple[tuple[Located, float], ...]:
        """What can stand behind its dot, with weights: its own, then what its bases give it."""
        if shape.is_module:
            return tuple((one, shape.weight) for one in self._modules.exports(shape.files))
        found: dict[tuple[str, int], tuple[Located, float]] = {}
        for nth, one in enumerate((shape, *self._all_bases(shape))):
            for member in self._own_members(one):
                if nth and is_constructor(member.definition):
                    continue
                found.setdefault((member.path, member.definition.start), (member, one.weight))
        return tuple(found.values())

    def _of_path(self, chain: Chain) -> tuple[Shape, ...]:
        """Rust's `crate::store::Row`: a module, or what a module has."""
        names = [link.name for link in chain.links]
        if names == ["Self"] or chain.links[-1].is_called:
            return ()
        if names[0] in self._scene.imported and len(names) == 1 and names[0][:1].isupper():
            return ()
        if names[0] in self._scene.imported and len(names) > 1:
            names[:1] = [*words_of_module(self._scene.imported[names[0]][0].module), names[0]]
        if names == ["crate"]:
            root = self._lookup.crate_root(self._scene.path)
            return (Shape("crate", root, 1.0, (root,)),) if root else ()
        module = "::".join(names)
        last = names[-1]
        if last[:1].isupper():
            return tuple(
                _weighed(shape, 1.0 if nth == 0 else 0.4)
                for nth, one in enumerate(self._lookup.types(last, self._scene.path, names[:-1]))
                for shape in self._unaliased(one, 1.0)
            )
        files = self._lookup.module_files(module, 0, self._scene.path)[:1]
        return (Shape(last, files[0], 1.0, files),) if files else ()

    def _of_root(self, link: Link, depth: int) -> tuple[Shape, ...]:
        name, scene = link.name, self._scene
        if name in _OWN and scene.own_type:
            own = last_word(scene.own_type)
            return (Shape(own, scene.path, 1.0),)
        if name in _PARENT and scene.own_type:
            return self._bases_of(Shape(last_word(scene.own_type), scene.path, 1.0))
        key = (name, "")
        if key in self._under_way:  # `x = x.next()`
            return ()
        self._under_way.add(key)
        try:
            shapes = self._by_binding(name, depth) or self._by_own_definition(link, depth)
            shapes = shapes or self._by_import(link) or self._by_definition(link)
        finally:
            self._under_way.discard(key)
        if not shapes or shapes[0].weight < _SURE:
            shapes = _merged((*shapes, *self._by_naming(name)))
        return shapes

    def _by_binding(self, name: str, depth: int) -> tuple[Shape, ...]:
        for one in self._scene.bindings_of(name)[:4]:
            shapes = (
                self.of_type(one.type, self._scene.path)
                if one.written
                else self.of_chain(_called(chain_of(one.type)), depth + 1)
            )
            if shapes:
                return shapes
        return ()

    def _by_own_definition(self, link: Link, depth: int) -> tuple[Shape, ...]:
        own = [one for one in self._lookup.named(link.name) if one.path == self._scene.path]
        for one in own:
            is_reached = not one.definition.parent or one.definition.kind in TYPE_KINDS
            if is_reached and (shapes := self._of_definition(one, depth)):
                return shapes
        return ()

    def _by_import(self, link: Link) -> tuple[Shape, ...]:
        if link.name not in self._scene.imported:
            return ()
        definitions, files = self._modules.imported(link.name)
        if files:
            return (Shape(link.name, files[0], 1.0, files),)
        return _merged(shape for one in definitions for shape in self._of_definition(one, 1))

    def _by_definition(self, link: Link) -> tuple[Shape, ...]:
        """By its name alone, as within a package, or where a path is written in full."""
        found = [one for one in self._lookup.named(link.name) if not one.definition.parent]
        found += [one for one in self._lookup.named(link.name) if one.definition.kind in TYPE_KINDS]
        near = self._lookup.nearest(found, self._scene.path)[:2]
        return _merged(
            _weighed(shape, 0.9 if nth == 0 else 0.4)
            for nth, one in enumerate(near)
            for shape in self._of_definition(one, 1)
        )

    def _by_naming(self, name: str) -> tuple[Shape, ...]:
        """`client_session` is probably a `ClientSession`; `session` some type nearby that ends so."""
        pascal = "".join(part[:1].upper() + part[1:] for part in name.strip("_").split("_"))
        for guess in (pascal, *(pascal + end for end in ("Impl", "Manager"))):
            if found := self._lookup.types(guess, self._scene.path):
                return (Shape(guess, found[0].path, 0.7),)
        if len(pascal) < 4:
            return ()
        endings = [one for one in self._scene.names if one.endswith(pascal) and one != name]
        endings += [one for one in self._scene.imported if one.endswith(pascal) and one not in endings]
        shapes = [
            Shape(one, found[0].path, 0.5)
            for one in endings[:6]
            if (found := self._lookup.types(one, self._scene.path))
        ]
        return _merged(shapes)

    def _by_member_name(self, link: Link, near_path: str) -> tuple[Shape, ...]:
        """Whose member it is nobody knows: any member of this name with a type, the nearest first."""
        found = [
            one
            for one in self._lookup.named(link.name)
            if one.definition.parent and (one.definition.type or one.definition.returns)
        ]
        near = self._lookup.nearest(found, near_path)[:3]
        shapes = [
            _weighed(shape, 0.5 * 0.8**nth)
            for nth, one in enumerate(near)
            for shape in self._of_definition(one, 1)
        ]
        return _merged(shapes) or self._by_naming(link.name)

    def _step(self, shapes: Sequence[Shape], link: Link, depth: int) -> tuple[Shape, ...]:
        found: list[Shape] = []
        for shape in shapes[:3]:
            if shape.is_module and (deeper := self._submodule(shape, link.name)):
                found.append(deeper)
                continue
            for member, weight in self.members(shape):
                if member.definition.name == link.name:
                    given = self._of_definition(member, depth + 1, owner=shape)
                    found += [_weighed(one, weight) for one in given]
                    break
        return _merged(found)

    def _submodule(self, shape: Shape, name: str) -> Shape | None:
        for path in shape.files[:1]:
            if any(one.name == name and not one.parent for one in self._lookup.definitions_in(path)):
                return None
            files = self._lookup.module_files(f"{shape.name}.{name}", 0, path)
            if files and last_word(files[0].rpartition(".")[0].removesuffix("/mod")) == name:
                return Shape(name, files[0], shape.weight, files)
        return None

    def _of_definition(self, one: Located, depth: int, owner: Shape | None = None) -> tuple[Shape, ...]:
        """What its name stands for in an expression: a type itself, else the type of its value."""
        definition = one.definition
        if depth > MAX_DEPTH:
            return ()
        match definition.kind:
            case "class" | "interface" | "enum":
                return (Shape(definition.name, one.path, 1.0),)
            case "type":
                return _merged(self._unaliased(one, 1.0))
            case "variant":
                return (Shape(last_word(definition.parent), one.path, 1.0),)
            case "module":
                return (Shape(definition.name, one.path, 0.9),)
            case "function" | "method" | "macro":
                if owner and is_constructor(definition):
                    return (owner,)
                return self._returned(definition, one.path, owner)
            case _:
                written = self._returned(definition, one.path, owner, definition.type)
                return written or self._made_by(_maker_of(definition), one.path, depth)

    def _returned(
        self, definition: Definition, path: str, owner: Shape | None, text: str | None = None
    ) -> tuple[Shape, ...]:
        text = definition.returns if text is None else text
        if owner and re.search(r"\b(?:Self|this)\b", text):
            return (owner,)
        return self.of_type(text, path) if text else ()

    def _made_by(self, callee: str, path: str, depth: int) -> tuple[Shape, ...]:
        """By what is called in another file: a type, or a function with its return type."""
        if not callee:
            return ()
        if path == self._scene.path:
            return self.of_expression(callee + "()", depth + 1)
        name = last_word(callee)
        found = self._lookup.nearest(self._lookup.named(name), path)[:1]
        return _merged(shape for one in found for shape in self._of_definition(one, depth + 1))

    def _unaliased(self, one: Located, weight: float, depth: int = 0) -> list[Shape]:
        """The type itself; of an alias what it stands for."""
        definition = one.definition
        if definition.kind in ("class", "interface", "enum"):
            return [Shape(definition.name, one.path, weight)]
        if definition.kind == "type" and any(True for _ in self._lookup.members(definition.name)):
            return [Shape(definition.name, one.path, weight)]
        text = definition.type
        if definition.kind == "variable" or not text:
            text = definition.signature.partition("=")[2] or text
        if depth > 2 or not text:
            return [Shape(definition.name, one.path, weight)] if definition.kind == "type" else []
        found: list[Shape] = []
        for name in _TYPE_NAME.findall(text)[:6]:
            own = last_word(name)
            if own == definition.name or own in _PRIMITIVES:
                continue
            for other in self._lookup.types(own, one.path)[:1]:
                found += self._unaliased(other, weight, depth + 1)
            weight *= 0.8
        return found

    def _own_members(self, shape: Shape) -> tuple[Located, ...]:
        """Those of types of this name that are this type: in its file, else where they are nearest."""
        found = self._lookup.members(shape.name)
        same = [one for one in found if one.path == shape.path]
        if shape.path.endswith((".rs", ".go", ".cs", ".swift", ".kt")):  # members stand in several files
            folder = shape.path.split("/")[:2]
            return tuple(one for one in found if one.path.split("/")[:2] == folder)
        return tuple(same) or tuple(found)

    def _all_bases(self, shape: Shape) -> tuple[Shape, ...]:
        found: dict[tuple[str, str], Shape] = {}
        level: Sequence[Shape] = (shape,)
        for _ in range(MAX_BASES):
            level = [
                base
                for one in level
                for base in self._bases_of(one)
                if (base.name, base.path) not in found and base.name != shape.name
            ]
            found.update({(one.name, one.path): one for one in level})
        return tuple(found.values())

    def _bases_of(self, shape: Shape) -> tuple[Shape, ...]:
        key = (shape.name, shape.path)
        if key not in self._bases:
            own = [
                one
                for one in self._lookup.named(shape.name)
                if one.definition.kind in TYPE_KINDS and one.path == shape.path
            ]
            texts = [(base, one.path) for one in own for base in one.definition.bases]
            shapes = [base for text, path in texts for base in self.of_type(text, path, shape.weight * 0.8)]
            self._bases[key] = tuple(shapes[:_MAX_SHAPES])
        return self._bases[key]

    def _words_for(self, own: str, written: str, importer: str) -> tuple[str, ...]:
        """Of the module a type's name is from, as the importing file says it."""
        words = words_of_module(written)[:-1]
        for one in self._lookup.imports(importer):
            if any(name.local_name == own for name in one.names):
                return words_of_module(one.module) + words
            if words and (one.alias == words[0]):
                return words_of_module(one.module) + words
        return words


def is_constructor(definition: Definition) -> bool:
    return definition.name in ("__init__", "__new__", "constructor", "new", "initialize", "__construct") or (
        definition.kind == "method" and definition.name == last_word(definition.parent)
    )


def _maker_of(definition: Definition) -> str:
    """What is called to make its value; empty where nothing is."""
    value = definition.signature.partition("=")[2].strip()
    if definition.callee or not value.endswith(")"):
        return definition.callee
    chain = chain_of(value)
    return ".".join(link.name for link in chain.links) if chain else ""


def _called(chain: Chain | None) -> Chain | None:
    if chain is None or not chain.links:
        return chain
    last = chain.links[-1]
    return Chain((*chain.links[:-1], Link(last.name, is_called=True)), chain.start)


def _weighed(shape: Shape, weight: float) -> Shape:
    return Shape(shape.name, shape.path, shape.weight * weight, shape.files)


def _merged(shapes: Iterable[Shape]) -> tuple[Shape, ...]:
    """Each once, likeliest first."""
    best: dict[tuple[str, str], Shape] = {}
    for one in shapes:
        key = (one.name, one.path)
        if key not in best or one.weight > best[key].weight:
            best[key] = one
    return tuple(sorted(best.values(), key=lambda one: (-one.weight, one.path, one.name)))[:_MAX_SHAPES]
