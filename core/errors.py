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
│   ├── EntanglementNotFoundError entanglement_not_found the two gems are not entangled
│   ├── DocumentNotFoundError    document_not_found
│   ├── PassageNotFoundError     passage_not_found
│   ├── ForgettingNotFoundError  forgetting_not_found   no run of forgetting that could be undone
│   ├── ReflectionNotFoundError  reflection_not_found
│   ├── IngestionNotFoundError   ingestion_not_found
│   ├── EntityNotFoundError      entity_not_found
│   ├── RelationNotFoundError    relation_not_found
│   ├── ChangeNotFoundError      change_not_found       no such change of the graph, or none to undo
│   ├── OperationNotFoundError   operation_not_found    no such operation on gems
│   ├── ExtractionNotFoundError  extraction_not_found
│   ├── SimulationNotFoundError  simulation_not_found
│   ├── SnapshotNotFoundError    snapshot_not_found
│   ├── PresetNotFoundError      preset_not_found       no preset or domain model of this name
│   ├── ExtensionNotFoundError   extension_not_found    no extension of this name
│   ├── AlertNotFoundError       alert_not_found
│   ├── AlertRuleNotFoundError   alert_rule_not_found   no rule of this name that could be deleted
│   ├── SilenceNotFoundError     silence_not_found      no such silence, or one that is over
│   ├── WebhookNotFoundError     webhook_not_found
│   ├── ModelNotFoundError       model_not_found        no LLM model of this name in the settings
│   └── TargetNotFoundError      target_not_found       no LLM target of this name in the settings
├── ConflictError                conflict               what is stored stands against the request
│   ├── GemNameTakenError        gem_name_taken
│   ├── GemArchivedError         gem_archived
│   ├── EntityNameTakenError     entity_name_taken      another entity of the gem goes by this name
│   ├── ChangeFollowedError      change_followed        later changes of the graph build upon this one
│   ├── OperationFollowedError   operation_followed     what happened since stands against undoing an operation
│   ├── IdempotencyConflictError idempotency_conflict   the key was used with another body
│   ├── SnapshotDamagedError     snapshot_damaged       what it holds is not what was put in
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
│   ├── SimulationsBusyError     simulations_busy       too many simulations wait for their run
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

    def __init_subclass__(cls, *, code: str = "", **more: object) -> None:
        super().__init_subclass__(**more)
        if code:
            cls.code = code

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInputError(LatticeError, code="invalid_input"):
    """A value that the caller can mend; `field` names it.

    Attributes:
        field: its path, as the caller wrote it.
        problem: what is wrong with it.
    """

    def __init__(self, field: str, problem: str, **details: object) -> None:
        super().__init__(f"{field}: {problem}", field=field, **details)
        self.field = field
        self.problem = problem


class InvalidStateError(InvalidInputError, code="invalid_state"):
    """A quantum state out of its bounds."""


class InvalidTermError(InvalidInputError, ValueError, code="invalid_term"):
    """An axiom term that is not a usable number."""


class InvalidParameterError(InvalidInputError, ValueError, code="invalid_parameter"):
    """A parameter of a simulation that cannot be used."""


class InvalidCursorError(InvalidInputError, code="invalid_cursor"):
    """A page cursor that this server did not give."""


class BodyTooLargeError(InvalidInputError, code="body_too_large"):
    """More bytes than one request may carry."""


class PromptUnsupportedError(InvalidInputError, code="prompt_unsupported"):
    """No LLM target of the model can do what is asked."""


class RequestError(LatticeError):
    """A request that no route takes as it is."""


class MalformedBodyError(RequestError, code="malformed_body"):
    """A body that is no JSON."""


class MethodNotAllowedError(RequestError, code="method_not_allowed"):
    """The path exists, but not for this method."""


class UnsupportedMediaTypeError(RequestError, code="unsupported_media_type"):
    """A body of another kind than JSON."""


class UnreadableSourceError(LatticeError, code="unreadable_source"):
    """A file that cannot be turned into text."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}", name=name, problem=problem)
        self.name = name
        self.problem = problem


class NotFoundError(LatticeError):
    """Nothing of this name or id in the caller's lattice."""


class RouteNotFoundError(NotFoundError, code="route_not_found"):
    """No such path in the API."""


class GemNotFoundError(NotFoundError, code="gem_not_found"):
    """No such gem."""


class EntanglementNotFoundError(NotFoundError, code="entanglement_not_found"):
    """The two gems are not entangled."""


class DocumentNotFoundError(NotFoundError, code="document_not_found"):
    """No such document in the gem."""


class PassageNotFoundError(NotFoundError, code="passage_not_found"):
    """No such passage in the gem."""


class ForgettingNotFoundError(NotFoundError, code="forgetting_not_found"):
    """No run of forgetting that could be undone."""


class ReflectionNotFoundError(NotFoundError, code="reflection_not_found"):
    """No such reflection."""


class IngestionNotFoundError(NotFoundError, code="ingestion_not_found"):
    """No such ingestion."""


class EntityNotFoundError(NotFoundError, code="entity_not_found"):
    """No such entity in the gem."""


class RelationNotFoundError(NotFoundError, code="relation_not_found"):
    """No such relation in the gem."""


class ChangeNotFoundError(NotFoundError, code="change_not_found"):
    """No such change of the gem's graph, or none that can be undone."""


class OperationNotFoundError(NotFoundError, code="operation_not_found"):
    """No such operation on gems."""


class ExtractionNotFoundError(NotFoundError, code="extraction_not_found"):
    """No such extraction."""


class SimulationNotFoundError(NotFoundError, code="simulation_not_found"):
    """No such simulation."""


class SnapshotNotFoundError(NotFoundError, code="snapshot_not_found"):
    """No such snapshot."""


class PresetNotFoundError(NotFoundError, code="preset_not_found"):
    """No preset or domain model of this name."""


class ExtensionNotFoundError(NotFoundError, code="extension_not_found"):
    """No extension of this name."""


class AlertNotFoundError(NotFoundError, code="alert_not_found"):
    """No such alert."""


class AlertRuleNotFoundError(NotFoundError, code="alert_rule_not_found"):
    """No rule of this name that could be deleted."""


class SilenceNotFoundError(NotFoundError, code="silence_not_found"):
    """No such silence, or one that is over."""


class WebhookNotFoundError(NotFoundError, code="webhook_not_found"):
    """No such webhook."""


class ModelNotFoundError(NotFoundError, code="model_not_found"):
    """No LLM model of this name in the settings."""


class TargetNotFoundError(NotFoundError, code="target_not_found"):
    """No LLM target of this name in the settings."""


class ConflictError(LatticeError, code="conflict"):
    """What is stored stands against the request."""


class GemNameTakenError(ConflictError, code="gem_name_taken"):
    """Another gem of the lattice has this name."""


class GemArchivedError(ConflictError, code="gem_archived"):
    """An archived gem is read only."""


class EntityNameTakenError(ConflictError, code="entity_name_taken"):
    """Another entity of the gem goes by this name."""


class ChangeFollowedError(ConflictError, code="change_followed"):
    """Later changes of the graph build upon this one."""


class OperationFollowedError(ConflictError, code="operation_followed"):
    """What happened since stands against undoing an operation on gems."""


class IdempotencyConflictError(ConflictError, code="idempotency_conflict"):
    """The idempotency key was used with another body, or its first request is still running."""


class SnapshotDamagedError(ConflictError, code="snapshot_damaged"):
    """What the snapshot holds is not what was put into it."""


class EmbeddingMismatchError(ConflictError, code="embedding_mismatch"):
    """The lattice was written with another embedding model."""


class AccessError(LatticeError):
    """The caller may not do this."""


class UnauthenticatedError(AccessError, code="unauthenticated"):
    """No token, or one that is not known."""


class ForbiddenError(AccessError, code="forbidden"):
    """The caller's role does not reach."""


class BudgetExceededError(LatticeError, code="budget_exceeded"):
    """The caller's LLM budget is spent."""


class ConfigurationError(LatticeError, code="configuration_invalid"):
    """A setting or machine that the operator must mend."""


class DatabaseUnfitError(ConfigurationError, code="database_unfit"):
    """A database of the wrong version, without an extension or right, or with an old schema."""


class UnavailableError(LatticeError):
    """Something we need did not answer; the same request may succeed later."""


class NotReadyError(UnavailableError, code="not_ready"):
    """The service cannot work at the moment."""


class StoreUnavailableError(UnavailableError, code="store_unavailable"):
    """Postgres did not answer."""


class StoreBusyError(UnavailableError, code="store_busy"):
    """A statement or a lock took longer than allowed."""


class SimulationsBusyError(UnavailableError, code="simulations_busy"):
    """Too many simulations wait for their run already."""


class EmbedderUnavailableError(UnavailableError, code="embedder_unavailable"):
    """The embedding endpoint did not answer."""


class ProviderError(LatticeError, code="provider_failed"):
    """One LLM target failed."""


class AllTargetsFailedError(ProviderError, code="all_targets_failed"):
    """Every LLM target failed."""


class StreamBrokenError(ProviderError, code="stream_broken"):
    """An LLM target stopped in the middle of its answer.

    Attributes:
        partial_text: what had come until then.
        usage: what that cost, in the words of whoever raises this; None if nothing is known.
    """

    def __init__(self, message: str, partial_text: str, usage: object = None, **details: object) -> None:
        super().__init__(message, **details)
        self.partial_text = partial_text
        self.usage = usage


class StructureInvalidError(ProviderError, code="structure_invalid"):
    """An LLM's answer has not the form that was asked for."""


class CassetteMissError(ProviderError, code="cassette_miss"):
    """The recording has no answer to this request."""


class InternalError(LatticeError, code="internal_error"):
    """A fault of ours."""
