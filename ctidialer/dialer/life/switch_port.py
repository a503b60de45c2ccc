"""What is needed of FreeSWITCH to place calls and to ask for them."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred

from ctidialer.esl.jobs import JobResult


class SwitchPort(Protocol):
    """A FreeSWITCH that takes commands."""

    def api(self, command: str, timeout: float = ...) -> Deferred[str]:
        """Run a command and return its answer."""

    def background(self, job_id: str, command: str) -> Deferred[JobResult]:
        """Run a command as a background job and return its result."""

    def forget(self, job_id: str) -> None:
        """Wait for this job no longer."""
