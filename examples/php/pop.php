<?php
/**
 * A screen pop: says whom an agent is connected to, and when the call is over.
 *
 *     apt install php-cli php-redis      (the extension phpredis)
 *     php pop.php 1001@default           (without an agent: for all of them)
 *
 * The daemon has to tell of calls: [records] events = "cti_dialer_event@fs1" in its settings; the
 * stream's name goes into CTIDIALER_EVENTS, where Redis is into REDIS_URL.  Events are telling, not
 * booking: what has to be right in the end (bills, statistics) stands in the records.
 */

declare(strict_types=1);

const LAST_READ = 'pop_example_last_read';  // ours: the id of the last event that we have shown

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
    $redis->setOption(Redis::OPT_READ_TIMEOUT, 10);  // longer than XREAD waits
    return $redis;
}

/** Return the id after which to read: where we stopped, else the stream's end as it is now. */
function last_read(Redis $redis, string $stream): string
{
    $kept = $redis->get(LAST_READ);
    return $kept ?: (string) (array_key_first($redis->xRevRange($stream, '+', '-', 1) ?: []) ?? '0-0');
}

/** Pop up at "bridged", close at "ended"; fields that we do not know pass by. */
function show(array $event, string $agent, array &$on_screen): void
{
    if ($event['event'] === 'bridged' && in_array($agent, ['', $event['agent']], true)) {
        $on_screen[$event['uuid']] = true;
        $customer = $event['variables']['crm_customer'] ?? '-';
        echo 'pop ', $event['agent'] ?? '-', " {$event['number']} {$customer}\n";
    } elseif ($event['event'] === 'ended' && isset($on_screen[$event['uuid'] ?? ''])) {
        unset($on_screen[$event['uuid']]);
        echo "close {$event['number']} ", $event['outcome'] ?? '-', "\n";
    }
}

function main(string $agent): int
{
    $stream = getenv('CTIDIALER_EVENTS') ?: 'cti_dialer_event@fs1';
    $end = microtime(true) + (float) (getenv('POP_PATIENCE') ?: INF);
    $redis = null;
    $position = null;
    $on_screen = [];
    while (microtime(true) < $end) {
        try {
            $redis ??= connect();
            $position ??= last_read($redis, $stream);
            // "$" would lose what is written between two reads: always say where we are.
            $read = $redis->xRead([$stream => $position], 100, 1000);
            if ($read === false && $redis->getLastError() !== null) {
                fwrite(STDERR, "Redis: {$redis->getLastError()}\n");
                return 1;
            }
            foreach ($read[$stream] ?? [] as $position => $fields) {
                show(json_decode($fields['event'], true, 64, JSON_THROW_ON_ERROR), $agent, $on_screen);
            }
            if ($read) {
                $redis->set(LAST_READ, $position);
            }
        } catch (RedisException $error) {
            fwrite(STDERR, "Redis is away, trying again: {$error->getMessage()}\n");
            $redis = null;
            sleep(1);
        }
    }
    return 0;
}

exit(main($argv[1] ?? ''));
