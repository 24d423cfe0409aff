"""The Chinese sentences of errors that people meet in forms; the English ones are the errors' own."""

_CHINESE = {
    "account_disabled": "该账号已停用。",
    "bad_admin_token": "管理令牌无效、已撤销或已过期。",
    "bad_credentials": "邮箱或密码不正确。",
    "bad_email": "邮箱地址格式不正确。",
    "bad_parameters": "参数无效：请检查参数的名称与取值。",
    "bad_price": "价格无效：请填写十进制数，并检查分档。",
    "bad_name": "名称须为 1 到 100 个可显示的字符。",
    "bad_password": "密码长度须为 10 到 256 个字符。",
    "bad_role": "角色不存在。",
    "bad_address": "该地址不能作为 webhook：须以 https:// 或 http:// 开头，且为公网地址。",
    "bad_amount": "金额须为以元为单位的十进制数，例如 12.34。",
    "code_does_not_fit": "该兑换码的金额超出钱包可容纳的范围。",
    "code_expired": "该兑换码已过期。",
    "code_malformed": "这不是兑换码，请检查是否输错。",
    "code_redeemed": "该兑换码已被使用。",
    "code_revoked": "该兑换码已作废。",
    "code_unknown": "没有这个兑换码。",
    "csrf": "页面已失效，请刷新后重试。",
    "email_not_verified": "单点登录提供方未验证邮箱。",
    "email_taken": "该邮箱已注册。",
    "invitation_for_another": "该邀请属于另一个邮箱。",
    "invitation_needed": "注册需要邀请。",
    "last_operator": "平台至少需要一名运营者。",
    "last_owner": "组织至少需要一名所有者。",
    "member_already": "该用户已是成员。",
    "model_gone": "目录中没有这个模型。",
    "name_taken": "该名称已被使用。",
    "no_alert": "该钱包没有设置提醒。",
    "no_such_app": "没有这个应用，或它写在配置文件中。",
    "not_a_chat_model": "应用只能建立在对话模型上。",
    "not_signed_in": "请先登录。",
    "oidc_failed": "单点登录失败，请重试。",
    "operators_only": "仅平台运营者可以执行此操作。",
    "owners_only": "仅所有者可以授予或更改所有者角色。",
    "price_missing": "没有价格就无法调用：请为应用设置输入与输出价格。",
    "price_moved": "与上一个价格相差十倍以上，请确认后再保存。",
    "role_forbids": "您的角色无权执行此操作。",
    "sign_up_closed": "当前不开放注册。",
    "too_many_apps": "应用数量已达上限。",
    "too_many_codes": "错误的兑换码过多，请稍后再试。",
    "too_many_sign_ins": "登录失败次数过多，请稍后再试。",
    "too_many_tests": "刚刚发送过测试，请稍候几秒。",
    "wrong_password": "当前密码不正确。",
}


def in_words(code: str, accept_language: str) -> str | None:
    """Return the sentence in the language that the caller prefers; None leaves it to the error."""
    return _CHINESE.get(code) if prefers_chinese(accept_language) else None


def prefers_chinese(accept_language: str) -> bool:
    """Return whether an Accept-Language header puts Chinese before English."""
    best = ("", 0.0)
    for part in accept_language.lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.strip().partition("-")[0]
        quality = _quality(weight)
        if language in ("zh", "en") and quality > best[1]:
            best = (language, quality)
    return best[0] == "zh"


def _quality(weight: str) -> float:
    try:
        return float(weight) if weight else 1.0
    except ValueError:
        return 0.0
