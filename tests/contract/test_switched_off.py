"""A quick look says that a task is switched off only where those who decode it say so too."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ctidialer.contract.faults import ContractError
from ctidialer.contract.switched_off import is_plainly_off, switched_off
from ctidialer.contract.task_document import decode_task

ON, OFF, SILENT = b'{"params":{"enable":true}}', b'{"params":{"enable":false}}', b'{"params":{}}'

values: list[object] = [True, False, None, 0, 1, "0", "1", "true", "no", "", "off", [], {}]
spelt = st.sampled_from(values)
params = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.fixed_dictionaries({}, optional={"enable": spelt, "Enable": spelt, "limit": spelt}),
)


def ways_to_write(document: object) -> st.SearchStrategy[bytes]:
    """Return the JSON of a document as different producers write it."""
    text = json.dumps(document)
    return st.sampled_from([text.encode(), text.encode("utf-8-sig"), json.dumps(text).encode()])


documents = st.one_of(
    st.none(),
    st.fixed_dictionaries({}, optional={"params": params, "enable": spelt}).flatmap(ways_to_write),
    st.binary(max_size=8),
)


class PlainlyOffTests(SynchronousTestCase):
    def test_the_host_has_the_last_word(self) -> None:
        for template, host, is_off in (
            (OFF, None, True),
            (ON, None, False),
            (ON, OFF, True),
            (OFF, ON, False),
            (ON, SILENT, False),
            (SILENT, SILENT, True),
            (b"{}", None, True),
        ):
            self.assertIs(is_plainly_off(template, host), is_off, (template, host))

    def test_what_is_written_otherwise_is_left_to_those_who_decode_it(self) -> None:
        for document in (
            b"",
            b"{",
            b"[]",
            b'{"params":"x"}',
            b'{"params":{"enable":"0"}}',
            b"\xff",
        ):
            self.assertFalse(is_plainly_off(document, None), document)
        self.assertFalse(is_plainly_off(b"[" * 100_000, None))

    @settings(deadline=None, max_examples=500)
    @given(documents, documents)
    def test_it_never_says_so_of_one_that_dials(
        self, template: bytes | None, host: bytes | None
    ) -> None:
        if is_plainly_off(template, host):
            try:
                task = decode_task("t", template=template, host=host, host_name="fs1")
            except ContractError:
                return
            self.assertFalse(task.enabled)

    def test_what_stands_for_it_never_dials(self) -> None:
        task = switched_off("t")
        self.assertEqual((task.name, task.enabled, task.limit), ("t", False, 0))
