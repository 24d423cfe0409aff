/** What the audit log is told in: every action and every field that a change can have. Loaded with the log. */
import type { AuditEntry } from "@/api/types";

import type { Language } from ".";

type Action = AuditEntry["action"];
type Both = readonly [zh: string, en: string];

/** The groups that the log is narrowed to, in the order of the menu. */
export const GROUPS = {
  key: ["密钥", "Keys"],
  wallet: ["钱包", "Wallets"],
  alert: ["余额提醒", "Balance alerts"],
  code_batch: ["兑换码", "Redemption codes"],
  member: ["成员", "Members"],
  invitation: ["邀请", "Invitations"],
  project: ["项目", "Projects"],
  org: ["组织", "Organisations"],
  app: ["AI 应用", "AI applications"],
  user: ["用户", "Users"],
  session: ["登录会话", "Sessions"],
  admin_token: ["管理令牌", "Admin tokens"],
  settings: ["平台设置", "Settings"],
} as const satisfies Record<string, Both>;

export type Group = keyof typeof GROUPS;

/** Groups that only the whole platform's log has. */
export const PLATFORM_GROUPS: readonly Group[] = ["app", "code_batch", "user", "session", "admin_token", "settings"];

export const ACTIONS: Record<Action, Both> = {
  "admin_token.create": ["创建管理令牌", "Created an admin token"],
  "admin_token.revoke": ["吊销管理令牌", "Revoked an admin token"],
  "alert.delete": ["关闭余额提醒", "Removed a balance alert"],
  "alert.set": ["设置余额提醒", "Set a balance alert"],
  "app.change": ["修改 AI 应用", "Changed an AI application"],
  "app.create": ["发布 AI 应用", "Published an AI application"],
  "app.delete": ["删除 AI 应用", "Deleted an AI application"],
  "app.disable": ["停用 AI 应用", "Turned an AI application off"],
  "app.enable": ["启用 AI 应用", "Turned an AI application on"],
  "code_batch.create": ["生成一批兑换码", "Made a batch of codes"],
  "code_batch.revoke": ["作废一批兑换码", "Revoked a batch of codes"],
  "invitation.accept": ["接受邀请", "Accepted an invitation"],
  "invitation.create": ["发出邀请", "Invited somebody"],
  "invitation.withdraw": ["撤回邀请", "Withdrew an invitation"],
  "key.change": ["修改密钥", "Changed a key"],
  "key.create": ["创建密钥", "Created a key"],
  "key.create_session": ["创建网页调试用的临时密钥", "Minted a key for trying calls on a page"],
  "key.disable": ["停用密钥", "Disabled a key"],
  "key.enable": ["启用密钥", "Enabled a key"],
  "key.rotate": ["轮换密钥", "Rotated a key"],
  "member.add": ["添加成员", "Added a member"],
  "member.remove": ["移除成员", "Removed a member"],
  "member.role": ["更改成员角色", "Changed a member's role"],
  "org.create": ["创建组织", "Created an organisation"],
  "org.rename": ["重命名组织", "Renamed an organisation"],
  "project.create": ["创建项目", "Created a project"],
  "project.rename": ["重命名项目", "Renamed a project"],
  "project.store_responses": ["更改项目是否保存响应", "Changed whether a project stores responses"],
  "session.end": ["退出登录", "Signed out"],
  "session.open": ["登录", "Signed in"],
  "settings.update": ["修改平台设置", "Changed the settings"],
  "user.create": ["创建用户", "Created a user"],
  "user.disable": ["停用用户", "Disabled a user"],
  "user.enable": ["启用用户", "Enabled a user"],
  "user.identity": ["关联单点登录身份", "Linked a single sign-on identity"],
  "user.operator": ["更改运营者身份", "Changed who is an operator"],
  "user.password": ["修改密码", "Changed a password"],
  "wallet.create": ["创建钱包", "Created a wallet"],
  "wallet.redeem": ["使用兑换码", "Redeemed a code"],
  "wallet.top_up": ["充值", "Topped up a wallet"],
};

export const FIELDS: Record<string, Both> = {
  allowed: ["允许的参数", "Allowed parameters"],
  amount_yuan: ["金额", "Amount"],
  batch_id: ["批次", "Batch"],
  contact: ["联系方式", "Contact"],
  count: ["数量", "Count"],
  created_by: ["创建者", "Created by"],
  created_ms: ["创建时间", "Created"],
  description: ["简介", "Description"],
  disabled_ms: ["停用时间", "Disabled"],
  email: ["邮箱", "E-mail"],
  entry_id: ["流水号", "Journal entry"],
  expires_ms: ["到期时间", "Expires"],
  has_password: ["有密码", "Has a password"],
  id: ["编号", "Id"],
  invited_by: ["邀请人", "Invited by"],
  kind: ["类型", "Kind"],
  last4: ["末四位", "Last four"],
  last_sign_in_ms: ["上次登录", "Last signed in"],
  last_used_ms: ["上次使用", "Last used"],
  "limits.concurrency": ["并发上限", "Calls at once"],
  "limits.requests_per_minute": ["每分钟请求数上限", "Requests per minute"],
  "limits.spend_per_day_nano": ["每日消费上限", "Spend per day"],
  "limits.tokens_per_minute": ["每分钟 token 数上限", "Tokens per minute"],
  model: ["模型", "Model"],
  name: ["名称", "Name"],
  note: ["备注", "Note"],
  operator: ["运营者", "Operator"],
  org_id: ["组织编号", "Organisation id"],
  org_name: ["组织", "Organisation"],
  parameters: ["固定参数", "Fixed parameters"],
  portal_public: ["公开文档", "Public documentation"],
  prefix: ["前缀", "Prefix"],
  price: ["价格", "Price"],
  project_id: ["项目", "Project"],
  provider: ["身份提供方", "Identity provider"],
  revoked_ms: ["作废时间", "Revoked"],
  role: ["角色", "Role"],
  "rules.budget": ["预算", "Budget"],
  "rules.budget.nano": ["预算金额", "Budget amount"],
  "rules.budget.period": ["预算周期", "Budget period"],
  "rules.ips": ["允许的 IP", "Allowed addresses"],
  "rules.models": ["允许的模型", "Allowed models"],
  sign_up: ["注册方式", "Sign-up"],
  site_name: ["站点名称", "Site name"],
  stores_responses: ["保存响应", "Stores responses"],
  system: ["提示词", "Prompt"],
  threshold_yuan: ["提醒阈值", "Alert below"],
  title: ["显示名称", "Display name"],
  url: ["Webhook 地址", "Webhook address"],
  user_id: ["用户", "User"],
  wallet_id: ["钱包", "Wallet"],
};

/** Values that are one of a few words. */
export const VALUES: Record<string, Record<string, Both>> = {
  kind: { api: ["API 密钥", "API key"], session: ["网页调试", "for a page"] },
  role: {
    owner: ["所有者", "Owner"],
    admin: ["管理员", "Admin"],
    developer: ["开发者", "Developer"],
    billing: ["财务", "Billing"],
    viewer: ["只读", "Viewer"],
  },
  "rules.budget.period": {
    day: ["每天", "per day"],
    week: ["每周", "per week"],
    month: ["每月", "per month"],
    never: ["总额", "in total"],
  },
  sign_up: {
    open: ["开放注册", "Open to everybody"],
    invitation: ["仅限邀请", "By invitation"],
    closed: ["关闭", "Closed"],
  },
};

const pick = (both: Both | undefined, language: Language): string | undefined => both?.[language === "zh" ? 0 : 1];

/** An action in words; one that an older version wrote is its own name. */
export function wordAction(action: string, language: Language): string {
  return pick((ACTIONS as Record<string, Both>)[action], language) ?? action;
}

export const wordField = (name: string, language: Language): string => pick(FIELDS[name], language) ?? name;
export const wordGroup = (group: Group, language: Language): string => pick(GROUPS[group], language) ?? group;
export const wordValue = (name: string, value: string, language: Language): string =>
  pick(VALUES[name]?.[value], language) ?? value;
