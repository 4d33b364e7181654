# size: the one tree of all errors, drawn and declared in one place
"""Every error that a user can meet, in one tree; each leaf has a stable code.

LatticeError
├── InvalidInputError            invalid_input          a value that the caller can mend; names the field
│   ├── InvalidStateError        invalid_state          a quantum state out of its bounds
│   ├── InvalidTermError         invalid_term           an axiom term that is not a usable number
│   ├── InvalidParameterError    invalid_parameter      a parameter of a simulation that cannot be used
│   ├── InvalidCursorError       invalid_cursor         a page cursor that this server did not give
│   ├── BodyTooLargeError        body_too_large         more bytes than one request may carry
│   └── PromptUnsupportedError   prompt_unsupported     no LLM target of the model can do what is asked
├── RequestError
│   ├── MalformedBodyError       malformed_body         a body that is no JSON
│   ├── MethodNotAllowedError    method_not_allowed     the path exists, but not for this method
│   └── UnsupportedMediaTypeError unsupported_media_type a body of another kind than JSON
├── UnreadableSourceError        unreadable_source      a file that cannot be turned into text
├── NotFoundError
│   ├── RouteNotFoundError       route_not_found        no such path in the API
│   ├── GemNotFoundError         gem_not_found
│   ├── DocumentNotFoundError    document_not_found
│   ├── PassageNotFoundError     passage_not_found
│   ├── ForgettingNotFoundError  forgetting_not_found   no run of forgetting that could be undone
│   ├── ReflectionNotFoundError  reflection_not_found
│   ├── IngestionNotFoundError   ingestion_not_found
│   ├── EntityNotFoundError      entity_not_found
│   ├── RelationNotFoundError    relation_not_found
│   ├── ChangeNotFoundError      change_not_found       no such change of the graph, or none to undo
│   ├── ExtractionNotFoundError  extraction_not_found
│   ├── SimulationNotFoundError  simulation_not_found
│   ├── PresetNotFoundError      preset_not_found       no preset or domain model of this name
│   ├── ModelNotFoundError       model_not_found        no LLM model of this name in the settings
│   └── TargetNotFoundError      target_not_found       no LLM target of this name in the settings
├── ConflictError                conflict               what is stored stands against the request
│   ├── GemNameTakenError        gem_name_taken
│   ├── GemArchivedError         gem_archived
│   ├── EntityNameTakenError     entity_name_taken      another entity of the gem goes by this name
│   ├── ChangeFollowedError      change_followed        later changes of the graph build upon this one
│   ├── IdempotencyConflictError idempotency_conflict   the key was used with another body
│   └── EmbeddingMismatchError   embedding_mismatch     the lattice was written with another model
├── AccessError
│   ├── UnauthenticatedError     unauthenticated
│   └── ForbiddenError           forbidden
├── BudgetExceededError          budget_exceeded        the caller's LLM budget is spent
├── ConfigurationError           configuration_invalid  a setting or machine that the operator must mend
│   └── DatabaseUnfitError       database_unfit         wrong version, missing extension or right, old schema
├── UnavailableError
│   ├── NotReadyError            not_ready              the service cannot work at the moment
│   ├── StoreUnavailableError    store_unavailable      Postgres did not answer
│   ├── StoreBusyError           store_busy             a statement or lock took longer than allowed
│   └── EmbedderUnavailableError embedder_unavailable   the embedding endpoint did not answer
├── ProviderError                provider_failed        one LLM target failed
│   ├── AllTargetsFailedError    all_targets_failed     every LLM target failed
│   ├── StreamBrokenError        stream_broken          an LLM target stopped in the middle of its answer
│   ├── StructureInvalidError    structure_invalid      an LLM's answer has not the form that was asked for
│   └── CassetteMissError        cassette_miss          the recording has no answer to this request
└── InternalError                internal_error         a fault of ours
"""

from typing import ClassVar


class LatticeError(Exception):
    """What every error of ours is.

    Attributes:
        code: stable, for programs.
        message: for people; says what is wrong and what mends it.
        details: further facts, JSON values only, never a secret.
    """

    code: ClassVar[str] = ""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInputError(LatticeError):
    """A value that the caller can mend; `field` names it.

    Attributes:
        field: its path, as the caller wrote it.
        problem: what is wrong with it.
    """

    code = "invalid_input"

    def __init__(self, field: str, problem: str, **details: object) -> None:
        super().__init__(f"{field}: {problem}", field=field, **details)
        self.field = field
        self.problem = problem


class InvalidStateError(InvalidInputError):
    """A quantum state out of its bounds."""

    code = "invalid_state"


class InvalidTermError(InvalidInputError, ValueError):
    """An axiom term that is not a usable number."""

    code = "invalid_term"


class InvalidParameterError(InvalidInputError, ValueError):
    """A parameter of a simulation that cannot be used."""

    code = "invalid_parameter"


class InvalidCursorError(InvalidInputError):
    """A page cursor that this server did not give."""

    code = "invalid_cursor"


class BodyTooLargeError(InvalidInputError):
    """More bytes than one request may carry."""

    code = "body_too_large"


class PromptUnsupportedError(InvalidInputError):
    """No LLM target of the model can do what is asked."""

    code = "prompt_unsupported"


class RequestError(LatticeError):
    """A request that no route takes as it is."""


class MalformedBodyError(RequestError):
    """A body that is no JSON."""

    code = "malformed_body"


class MethodNotAllowedError(RequestError):
    """The path exists, but not for this method."""

    code = "method_not_allowed"


class UnsupportedMediaTypeError(RequestError):
    """A body of another kind than JSON."""

    code = "unsupported_media_type"


class UnreadableSourceError(LatticeError):
    """A file that cannot be turned into text."""

    code = "unreadable_source"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}", name=name, problem=problem)
        self.name = name
        self.problem = problem


class NotFoundError(LatticeError):
    """Nothing of this name or id in the caller's lattice."""


class RouteNotFoundError(NotFoundError):
    """No such path in the API."""

    code = "route_not_found"


class GemNotFoundError(NotFoundError):
    """No such gem."""

    code = "gem_not_found"


class DocumentNotFoundError(NotFoundError):
    """No such document in the gem."""

    code = "document_not_found"


class PassageNotFoundError(NotFoundError):
    """No such passage in the gem."""

    code = "passage_not_found"


class ForgettingNotFoundError(NotFoundError):
    """No run of forgetting that could be undone."""

    code = "forgetting_not_found"


class ReflectionNotFoundError(NotFoundError):
    """No such reflection."""

    code = "reflection_not_found"


class IngestionNotFoundError(NotFoundError):
    """No such ingestion."""

    code = "ingestion_not_found"


class EntityNotFoundError(NotFoundError):
    """No such entity in the gem."""

    code = "entity_not_found"


class RelationNotFoundError(NotFoundError):
    """No such relation in the gem."""

    code = "relation_not_found"


class ChangeNotFoundError(NotFoundError):
    """No such change of the gem's graph, or none that can be undone."""

    code = "change_not_found"


class ExtractionNotFoundError(NotFoundError):
    """No such extraction."""

    code = "extraction_not_found"


class SimulationNotFoundError(NotFoundError):
    """No such simulation."""

    code = "simulation_not_found"


class PresetNotFoundError(NotFoundError):
    """No preset or domain model of this name."""

    code = "preset_not_found"


class ModelNotFoundError(NotFoundError):
    """No LLM model of this name in the settings."""

    code = "model_not_found"


class TargetNotFoundError(NotFoundError):
    """No LLM target of this name in the settings."""

    code = "target_not_found"


class ConflictError(LatticeError):
    """What is stored stands against the request."""

    code = "conflict"


class GemNameTakenError(ConflictError):
    """Another gem of the lattice has this name."""

    code = "gem_name_taken"


class GemArchivedError(ConflictError):
    """An archived gem is read only."""

    code = "gem_archived"


class EntityNameTakenError(ConflictError):
    """Another entity of the gem goes by this name."""

    code = "entity_name_taken"


class ChangeFollowedError(ConflictError):
    """Later changes of the graph build upon this one."""

    code = "change_followed"


class IdempotencyConflictError(ConflictError):
    """The idempotency key was used with another body, or its first request is still running."""

    code = "idempotency_conflict"


class EmbeddingMismatchError(ConflictError):
    """The lattice was written with another embedding model."""

    code = "embedding_mismatch"


class AccessError(LatticeError):
    """The caller may not do this."""


class UnauthenticatedError(AccessError):
    """No token, or one that is not known."""

    code = "unauthenticated"


class ForbiddenError(AccessError):
    """The caller's role does not reach."""

    code = "forbidden"


class BudgetExceededError(LatticeError):
    """The caller's LLM budget is spent."""

    code = "budget_exceeded"


class ConfigurationError(LatticeError):
    """A setting or machine that the operator must mend."""

    code = "configuration_invalid"


class DatabaseUnfitError(ConfigurationError):
    """A database of the wrong version, without an extension or right, or with an old schema."""

    code = "database_unfit"


class UnavailableError(LatticeError):
    """Something we need did not answer; the same request may succeed later."""


class NotReadyError(UnavailableError):
    """The service cannot work at the moment."""

    code = "not_ready"


class StoreUnavailableError(UnavailableError):
    """Postgres did not answer."""

    code = "store_unavailable"


class StoreBusyError(UnavailableError):
    """A statement or a lock took longer than allowed."""

    code = "store_busy"


class EmbedderUnavailableError(UnavailableError):
    """The embedding endpoint did not answer."""

    code = "embedder_unavailable"


class ProviderError(LatticeError):
    """One LLM target failed."""

    code = "provider_failed"


class AllTargetsFailedError(ProviderError):
    """Every LLM target failed."""

    code = "all_targets_failed"


class StreamBrokenError(ProviderError):
    """An LLM target stopped in the middle of its answer.

    Attributes:
        partial_text: what had come until then.
        usage: what that cost, in the words of whoever raises this; None if nothing is known.
    """

    code = "stream_broken"

    def __init__(self, message: str, partial_text: str, usage: object = None, **details: object) -> None:
        super().__init__(message, **details)
        self.partial_text = partial_text
        self.usage = usage


class StructureInvalidError(ProviderError):
    """An LLM's answer has not the form that was asked for."""

    code = "structure_invalid"


class CassetteMissError(ProviderError):
    """The recording has no answer to this request."""

    code = "cassette_miss"


class InternalError(LatticeError):
    """A fault of ours."""

    code = "internal_error"
