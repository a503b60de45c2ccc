<?php
/**
 * Hands numbers to ctidialer and waits for what became of them.
 *
 *     apt install php-cli php-redis      (the extension phpredis)
 *     php crm.php 13800138000 13800138001
 *
 * This one reads from a list instead of the stream: name it in the daemon's settings,
 *
 *     [records]
 *     list = "crm_example_cdr"
 *
 * and every record of the node is pushed to it.  A list is for one kind of reader that takes every
 * record off; nothing else trims it.  Where several programs want the records, read the stream, as
 * the examples in the other languages do.
 *
 * Where Redis is says REDIS_URL.  The exit status is 0 when every number has its record, 1 when not.
 *
 * What a CRM has to know: the key that joins a record to your customer is a UUID of your own, the
 * variable origination_uuid of the number.  The record carries it as requested_uuid.
 */

declare(strict_types=1);

const TASK = 'crm_example';
const QUEUE = 'crm_example_numbers';
const CDR_LIST = 'crm_example_cdr';

function connect(): Redis
{
    $url = parse_url(getenv('REDIS_URL') ?: 'redis://127.0.0.1:6379/0');
    $redis = new Redis();
    $redis->connect($url['host'], $url['port'] ?? 6379, 5.0);
    if (isset($url['pass'])) {
        $user = $url['user'] ?? '';
        $pass = rawurldecode($url['pass']);
        $redis->auth($user === '' ? $pass : [rawurldecode($user), $pass]);
    }
    $redis->select((int) ltrim($url['path'] ?? '/0', '/'));
    $redis->setOption(Redis::OPT_READ_TIMEOUT, 10);  // longer than BLPOP waits
    return $redis;
}

/** Write the task: through which gateway, how many at once, and where answered calls go. */
function put_task(Redis $redis): void
{
    $task = [
        'params' => [
            'enable' => true,
            'line_group' => ['carrier1'],
            'limit' => 10,
            'number_queue' => QUEUE,
            'destination_extension' => '8888',
            'record_variables' => ['crm_customer'],  // what each record carries in "variables"
        ],
        'variables' => ['origination_caller_id_number' => '02088886666'],
    ];
    said($redis, $redis->hSet('cti_queue_dialer_task@template', TASK, json($task)));
    // Without this notice the daemon sees the task at its next look, within five seconds.
    $notice = ['type' => 'config_change', 'table' => 'cti_queue_dialer_task', 'key' => TASK];
    said($redis, $redis->publish('config@all', json($notice)));
}

/** Append the numbers to the queue in one command; return our customers by UUID. */
function push(Redis $redis, array $numbers): array
{
    $customers = [];
    $entries = [];
    foreach ($numbers as $index => $number) {
        $uuid = new_uuid();
        $customers[$uuid] = 'customer-' . ($index + 1);
        $variables = ['origination_uuid' => $uuid, 'crm_customer' => $customers[$uuid]];
        $entries[] = json(['params' => ['number' => $number], 'variables' => $variables]);
    }
    // Not to be repeated blindly: when the connection is lost here, the numbers may be in the queue.
    said($redis, $redis->rPush(QUEUE, ...$entries));
    return $customers;
}

/** Take records off the list until each of our numbers has its own, or until our patience ends. */
function read_records(Redis $redis, array &$customers): void
{
    $end = microtime(true) + (float) (getenv('CRM_PATIENCE') ?: 120);
    while ($customers && microtime(true) < $end) {
        try {
            $popped = $redis->blPop([CDR_LIST], 1);
            if ($popped) {
                // What is popped is ours to keep: a CRM writes it to its database first of all.
                take(json_decode($popped[1], true, 64, JSON_THROW_ON_ERROR), $customers);
            } elseif ($redis->getLastError() !== null) {
                throw new RuntimeException($redis->getLastError());
            }
        } catch (RedisException $error) {
            fwrite(STDERR, "Redis is away, trying again: {$error->getMessage()}\n");
            sleep(1);
            try {
                $redis = connect();
            } catch (RedisException) {
                // still away; the next round says so
            }
        }
    }
}

/** Do what the CRM does with a record; records of others pass by. */
function take(array $record, array &$customers): void
{
    $uuid = $record['requested_uuid'] ?? '';
    if (!isset($customers[$uuid])) {
        return;
    }
    printf(
        "%s %s %s %s %.1f s\n",
        $record['variables']['crm_customer'] ?? $customers[$uuid],  // as it was on the call
        $record['number'] ?? '-',
        $record['outcome'],
        $record['hangup_cause'] ?? '-',
        $record['bill_seconds'] ?? 0
    );
    unset($customers[$uuid]);
}

/** phpredis returns false where Redis answers with an error: never go on with it. */
function said(Redis $redis, mixed $reply): mixed
{
    if ($reply === false) {
        throw new RuntimeException($redis->getLastError() ?? 'no answer');
    }
    return $reply;
}

function json(array $document): string
{
    return json_encode($document, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
}

function new_uuid(): string
{
    $bytes = random_bytes(16);
    $bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
    $bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
    return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
}

function main(array $numbers): int
{
    if (!$numbers) {
        fwrite(STDERR, "usage: php crm.php NUMBER...\n");
        return 2;
    }
    try {
        $redis = connect();
        put_task($redis);
        $customers = push($redis, $numbers);
        read_records($redis, $customers);
    } catch (RedisException | RuntimeException | JsonException $error) {
        fwrite(STDERR, "Redis: {$error->getMessage()}\n");
        return 1;
    }
    foreach ($customers as $customer) {
        fwrite(STDERR, "$customer has no record yet; ask: ctidialer explain " . TASK . "\n");
    }
    return $customers ? 1 : 0;
}

exit(main(array_slice($argv, 1)));
