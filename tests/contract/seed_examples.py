"""The JSON documents of the original description, byte for byte as they stand there."""

from __future__ import annotations

TASK = """\
    {
    "params": {
    "enable": true,
    "line_group": ["外呼使用的线路组"],
    "limit":100,
    "start_time": "2020-1-20 12:00",
    "stop_time": "2020-1-22 12:00",
    "work_hour": [{
    "begin": "8:00",
    "end": "12:00"
    }, {
    "begin": "14:00",
    "end": "18:00"
    }],
    "work_week": [1,2,3,4,5],
    "holiday": [{
    "begin": "2020-1-20 12:00",
    "end": "2020-1-21 12:00"
    }, {
    "begin": "2020-1-21 12:00",
    "end": "2020-1-22 8:00"
    }],
    "number_queue": "号码队列",
    "destination_extension":"8888",
    "destination_dialplan":"XML",
    "destination_context":"default"

    },
    "variables": {
    "origination_caller_id_number": "主叫号码",
    "absolute_codec_string": "pcma,pcmu,g729"
    }
    }
""".encode()

NUMBER = """\
{
"params": {
"number":"被叫号码"
},
"variables": {
"origination_caller_id_number": "主叫号码",
"absolute_codec_string": "pcma,pcmu,g729"
}
}
""".encode()

SCHEDULE_CONFIG = """\
    {
    "params": {
    "line_group": ["外呼使用的线路组"],
    "destination_extension":"8888",
    "destination_dialplan":"XML",
    "destination_context":"default"

    },
    "variables": {
    "origination_caller_id_number": "主叫号码",
    "absolute_codec_string": "pcma,pcmu,g729"
    }
    }
""".encode()

SCHEDULED_NUMBER = """\
    {
    "params": {
    "number":"被叫号码",
    "expires":0,
    "config":"cti_schedule_dialer_config@domain里面的任务名字"
    },
    "variables": {
    "origination_caller_id_number": "被叫号码",
    "absolute_codec_string": "pcma,pcmu,g729"
    }
    }
""".encode()

NOTICE = b"""\
{
"type":"config_change",
"table":"cti_queue_dialer_task",
"key":"test"
}
"""
