"""Small documents for the tests of the contract, and what went wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ctidialer.contract.faults import ContractError, Fault
from ctidialer.contract.task import Task
from ctidialer.contract.task_document import decode_task

TEMPLATE_KEY = "cti_queue_dialer_task@template"
HOST_KEY = "cti_queue_dialer_task@fs1"

PARAMS: dict[str, object] = {
    "enable": True,
    "line_group": ["外呼线路组"],
    "limit": 10,
    "number_queue": "号码队列",
    "destination_extension": "8888",
}


def as_json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def params(changed: Mapping[str, object]) -> dict[str, object]:
    """Return valid params with some changed; a change to `...` takes the key away."""
    merged = {**PARAMS, **changed}
    return {key: value for key, value in merged.items() if value is not ...}


def task(template: object = None, host: object = None) -> Task:
    return decode_task(
        "催收",
        template=None if template is None else as_json(template),
        host=None if host is None else as_json(host),
        host_name="fs1",
    )


def task_with(changed: Mapping[str, object]) -> Task:
    return task(template={"params": params(changed)})


def faults_of(decode: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Fault, ...]:
    """Return the faults for which ``decode`` refuses a document; none where it takes it."""
    try:
        decode(*args, **kwargs)
    except ContractError as error:
        return error.faults
    return ()


def paths_of(decode: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    return [fault.path for fault in faults_of(decode, *args, **kwargs)]
