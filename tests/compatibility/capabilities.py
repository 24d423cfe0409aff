"""Every row of the matrix."""

from tests.compatibility.messages import MESSAGES
from tests.compatibility.output import OUTPUT
from tests.compatibility.replies import REPLIES
from tests.compatibility.tools import TOOLS

CAPABILITIES = (*MESSAGES, *TOOLS, *OUTPUT, *REPLIES)

GROUPS = {
    "messages": ("Messages", "消息"),
    "tools": ("Tools", "工具"),
    "output": ("Output", "输出"),
    "thinking": ("Thinking", "思考"),
    "replies": ("Search, usage and reasons", "搜索、用量与结束原因"),
    "vendor": ("Parameters of single vendors", "厂商特有参数"),
}
