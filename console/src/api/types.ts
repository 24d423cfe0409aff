/** The shapes of the console API, by the names that the pages use. They are all generated: see `npm run types`. */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** An answer has every field: what is optional in a form is there with its default in what comes back. */
type Whole<T> = T extends readonly (infer Item)[]
  ? Whole<Item>[]
  : T extends object
    ? { [Name in keyof T]-?: Whole<Exclude<T[Name], undefined>> }
    : T;

type Out<Name extends keyof Schemas> = Whole<Schemas[Name]>;

/** A part of a list; `next` is the `after` of the page behind it. */
export interface Page<T> {
  data: T[];
  next: string | null;
  total?: number;
}

export type Session = Out<"SessionOut">;
export type Me = Out<"Me">;
export type Membership = Out<"Membership">;
export type Role = Membership["role"];
export type SignUpForm = Schemas["SignUpForm"];
export type Org = Out<"Org">;
export type Member = Out<"Member">;
export type Invitation = Out<"Invitation">;
export type NewInvitation = Out<"InvitationOut">;
export type Invited = Out<"Invited">;
export type Project = Out<"Project">;
export type AuditEntry = Out<"AuditEntry">;

export type ApiKey = Out<"KeyOut">;
export type CreatedKey = Out<"CreatedOut">;
export type KeyForm = Schemas["KeyForm"];
export type KeyPatch = Schemas["KeyPatch"];
export type KeyBudget = Out<"BudgetOut">;
export type SessionKey = Out<"SessionKeyOut">;

export type Wallet = Out<"WalletView">;
export type FoundWallet = Out<"FoundWalletView">;
export type JournalEntry = Out<"EntryView">;
export type Hold = Out<"HoldView">;
export type Redeemed = Out<"RedeemedView">;
export type Alert = Out<"AlertView">;
export type AlertForm = Schemas["AlertForm"];
export type AlertSet = Out<"AlertSet">;
export type AlertTested = Out<"Tested">;

export type Call = Out<"CallView">;
export type CallPage = Out<"CallsPage">;
export type CallDetail = Out<"CallDetail">;
export type Job = Out<"JobView">;
export type Bill = Out<"BillView">;
export type UsageRow = Out<"UsageRow">;
export type UsageReport = Out<"UsageReport">;

export type App = Out<"AppView">;
export type AppForm = Schemas["AppForm"];
export type NewApp = Schemas["NewApp"];
export type Upstream = Out<"UpstreamView">;
export type CodeBatch = Out<"BatchView">;
export type BatchForm = Schemas["BatchForm"];
export type MadeBatch = Out<"MadeBatchView">;
export type PortalSettings = Out<"PortalSettings">;
export type AdminToken = Out<"AdminToken">;
export type NewAdminToken = Out<"NewAdminToken">;
export type AdminUser = Out<"User">;
export type UserChange = Schemas["UserChange"];

export type PageStatus = NonNullable<Out<"Page">["status"]>;
export type TreeNode = Out<"Node">;
export type TreeOut = Out<"TreeOut">;
export type SearchHit = Out<"Found">;
export type ModelPrice = Out<"ModelPrice">;
export type ModelRow = Out<"ModelSummary">;
export type ModelPage = Out<"ModelsOut">;
export type ModelCard = Out<"ModelOut">;
export type SampleRequestOut = Out<"SampleRequest">;
export type RequestExample = Out<"RequestExample">;
export type PageLink = Out<"Link">;
export type Parameter = Out<"Parameter">;
export type Answer = Out<"Answer">;
export type DocPage = Out<"Page">;
export type Home = Out<"HomeOut">;
export type StatusEntry = Out<"StatusEntry">;
