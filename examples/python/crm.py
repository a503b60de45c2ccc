"""Hands numbers to ctidialer and waits for what became of them.

    pip install redis
    python crm.py 13800138000 13800138001

Where Redis is says REDIS_URL, under which host name the daemon works CTIDIALER_HOST, by default
this machine's.  The exit status is 0 when every number has its record, 1 when not.

What a CRM has to know: the key that joins a record to your customer is a UUID of your own, the
variable ``origination_uuid`` of the number.  The record carries it as ``requested_uuid``.
"""

import json
import os
import socket
import sys
import time
import uuid

import redis

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
HOST = os.environ.get("CTIDIALER_HOST") or socket.gethostname()
STREAM = f"cti_dialer_record@{HOST}"
TASK = "crm_example"
QUEUE = "crm_example_numbers"
LAST_READ = "crm_example_last_read"  # ours: the id of the last record that we have dealt with
PATIENCE = float(os.environ.get("CRM_PATIENCE", "120"))  # seconds, for all records together


def put_task(client: redis.Redis) -> None:
    """Write the task: through which gateway, how many at once, and where answered calls go."""
    task = {
        "params": {
            "enable": True,
            "line_group": ["carrier1"],
            "limit": 10,
            "number_queue": QUEUE,
            "destination_extension": "8888",
            "record_variables": ["crm_customer"],  # what each record carries in "variables"
        },
        "variables": {"origination_caller_id_number": "02088886666"},
    }
    client.hset("cti_queue_dialer_task@template", TASK, json.dumps(task))
    # Without this notice the daemon sees the task at its next look, within five seconds.
    notice = {"type": "config_change", "table": "cti_queue_dialer_task", "key": TASK}
    client.publish("config@all", json.dumps(notice))


def push(client: redis.Redis, numbers: list[str]) -> dict[str, str]:
    """Append the numbers to the queue in one command; return our customers by UUID."""
    customers, entries = {}, []
    for index, number in enumerate(numbers):
        own, customer = str(uuid.uuid4()), f"customer-{index + 1}"
        variables = {"origination_uuid": own, "crm_customer": customer}
        entries.append(json.dumps({"params": {"number": number}, "variables": variables}))
        customers[own] = customer
    # Not to be repeated blindly: when the connection is lost here, the numbers may be in the queue.
    client.rpush(QUEUE, *entries)
    return customers


def last_read(client: redis.Redis) -> str:
    """Return the id after which to read: where we stopped, else the stream's end as it is now."""
    kept = client.get(LAST_READ)
    if kept:
        return kept
    newest = client.xrevrange(STREAM, count=1)
    return newest[0][0] if newest else "0-0"


def read(client: redis.Redis, customers: dict[str, str], position: str) -> None:
    """Read records until each of our numbers has its own, or until our patience ends."""
    end = time.monotonic() + PATIENCE
    while customers and time.monotonic() < end:
        try:
            # "$" would lose what is written between two reads: always say where we are.
            for _, entries in client.xread({STREAM: position}, count=100, block=1000) or []:
                for position, fields in entries:
                    take(json.loads(fields["record"]), customers)
                    # After the work, not before it: a crash reads a record twice, and loses none.
                    client.set(LAST_READ, position)
        except redis.ConnectionError as error:
            print(f"Redis is away, trying again: {error}", file=sys.stderr)
            time.sleep(1)


def take(record: dict, customers: dict[str, str]) -> None:
    """Do what the CRM does with a record; records of others pass by."""
    customer = customers.pop(record["requested_uuid"], None)
    if customer is None:
        return
    customer = record["variables"].get("crm_customer", customer)  # as it was on the call
    talked = record["bill_seconds"] or 0
    print(
        f"{customer} {record['number']} {record['outcome']} {record['hangup_cause']} {talked:.1f} s"
    )


def main() -> int:
    """Push the numbers of the command line, and read their records."""
    numbers = sys.argv[1:]
    if not numbers:
        print("usage: python crm.py NUMBER...", file=sys.stderr)
        return 2
    client = redis.Redis.from_url(URL, decode_responses=True)
    try:
        position = last_read(client)  # before the push, so that no record can be missed
        put_task(client)
        customers = push(client, numbers)
        read(client, customers, position)
    except redis.RedisError as error:
        print(f"Redis: {error}", file=sys.stderr)
        return 1
    for customer in customers.values():
        print(f"{customer} has no record yet; ask: ctidialer explain {TASK}", file=sys.stderr)
    return 1 if customers else 0


if __name__ == "__main__":
    sys.exit(main())
