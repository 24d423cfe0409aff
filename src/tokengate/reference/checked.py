"""Parameters as the code checks them: types and ranges from a wire struct, meanings from the words beside it."""

from msgspec import Struct, inspect
from msgspec.structs import replace

from tokengate.formats.openai.parameters import ROLES, SEED_RANGE
from tokengate.reference.table import ApiOperation
from tokengate.reference.words import Field, OperationWords, parameter_words

_NO_WORDS = Field()


def body_fields(operation: ApiOperation, words: OperationWords) -> tuple[Field, ...]:
    """Return the members of an operation's body: from the struct that checks it, or as they are described."""
    if operation.request is None:
        return words.body
    known: dict[str, Field] = {}
    for section in words.parameters:
        known |= parameter_words()[section]
    checked = {field.name: field for field in struct_fields(operation.request, known)}
    return tuple(sorted((checked[name] for name in known), key=lambda field: not field.required))


def struct_fields(struct: type[Struct], words: dict[str, Field]) -> list[Field]:
    """Return the fields of a wire struct with their words, in the struct's order."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return [_field(field, words.get(field.encode_name, _NO_WORDS)) for field in info.fields]


def _field(field: inspect.Field, words: Field) -> Field:
    found = _typed(field.type, words)
    # `messages` may be left out only for the body of another format, which is refused: callers must send it.
    required = field.required or words.required or field.encode_name in _REQUIRED
    return _more(replace(found, name=field.encode_name, required=required, nullable=found.nullable and not required))


_REQUIRED = frozenset({"messages"})


def _more(field: Field) -> Field:
    """Add what readers check beyond the types."""
    if field.name == "seed":
        return replace(field, min=SEED_RANGE[0], max=SEED_RANGE[1])
    if field.name == "messages":
        role, *others = field.children
        return replace(field, children=(replace(role, enum=tuple(sorted(ROLES))), *others))
    return field


def _typed(type_: inspect.Type, words: Field) -> Field:
    """Return the words with the type and range that the code has."""
    match type_:
        case inspect.UnionType(types=types):
            members = [_typed(member, words) for member in types if not isinstance(member, inspect.NoneType)]
            nullable = any(isinstance(member, inspect.NoneType) for member in types)
            first = members[0]
            for member in members[1:]:
                first = _joined(first, member)
            return replace(first, nullable=nullable)
        case inspect.IntType(ge=low, le=high):
            return replace(words, type="integer", min=low, max=high)
        case inspect.FloatType(ge=low, le=high):
            return replace(words, type="number", min=low, max=high)
        case inspect.StrType(min_length=shortest, max_length=longest):
            return replace(words, type="string", min_length=shortest, max_length=longest)
        case inspect.BoolType():
            return replace(words, type="boolean")
        case inspect.LiteralType(values=values):
            return replace(words, type="string", enum=tuple(str(value) for value in values))
        case inspect.ListType(item_type=item, min_length=shortest):
            inner = _typed(item, _NO_WORDS)
            of = inner.type if inner.type != "any" else ""
            return replace(words, type="array", of=of, min_items=shortest, item_min=inner.min, item_max=inner.max)
        case inspect.DictType(value_type=value):
            inner = _typed(value, _NO_WORDS)
            of = inner.type if inner.type != "any" else ""
            return replace(words, type="object", of=of, item_min=inner.min, item_max=inner.max)
        case inspect.StructType(cls=struct):
            children = {child.name: child for child in words.children}
            return replace(words, type="object", children=tuple(struct_fields(struct, children)))
        case _:
            return replace(words, type=words.type or "any", nullable=True)


def _joined(one: Field, other: Field) -> Field:
    """Return a field that takes what either takes."""
    kinds = [kind for kind in (*one.type.split(" | "), *other.type.split(" | ")) if kind]
    return replace(one, type=" | ".join(dict.fromkeys(kinds)), of=one.of or other.of, enum=one.enum or other.enum)
