"""Zhipu GLM."""

from tokengate.providers.compatible import OpenAICompatible

PROVIDER = OpenAICompatible(
    name="zhipu",
    title="Zhipu",
    base_url="https://open.bigmodel.cn/api/paas/v4",
    key_env="ZHIPU_API_KEY",
    vendors=("zhipu",),
    # Numbers as text: 1000 to 1004 refuse the key; 1110 to 1121 are the account's state, among them 1113, arrears;
    # 1308 to 1310 end a plan. They come with status 401 and 429. https://docs.bigmodel.cn/cn/faq/api-code, 2026-11
    auth_codes=frozenset(str(code) for code in range(1000, 1005)),
    quota_codes=frozenset(str(code) for code in (*range(1110, 1122), 1308, 1309, 1310)),
)
