/** Every component in every state: for who works on the pages, and for visual snapshots. */
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/client";
import { Main } from "@/layout/root";
import { OTHER } from "@/lib/series";
import { Button, IconButton } from "@/parts/button";
import { FilterChip } from "@/parts/chips";
import { Code } from "@/parts/code";
import { Copyable } from "@/parts/copy";
import { Confirm, Dialog, Drawer } from "@/parts/dialog";
import { Checkbox, DateRange, FileInput, Input, Select, Switch, Textarea } from "@/parts/field";
import { Money, Time, Tokens } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Menu, MenuChoices, MenuItem, MenuLabel, MenuSeparator } from "@/parts/menu";
import { Badge, Empty, ErrorNote, Method, Note, Skeleton, type Tone } from "@/parts/notes";
import { Card, Facts, PageHeader, Section, Stat } from "@/parts/page";
import { SecretDialog } from "@/parts/secret";
import { Table } from "@/parts/table";
import { Segmented, Tabs } from "@/parts/tabs";
import { useSay } from "@/parts/toast";

const BarsChart = lazy(() => import("@/parts/bars-chart"));
const StackedChart = lazy(() => import("@/parts/stacked-chart"));

const TONES: readonly Tone[] = ["neutral", "accent", "good", "warn", "bad"];
const ROWS = [
  { id: "a", name: "gpt-5", cost: "0.00228125" },
  { id: "b", name: "qwen3.6-max-preview", cost: "1234.5" },
];
const FAILURE = new ApiError(402, "余额不足 / Insufficient balance", "insufficient_balance", null, "req_0123456789", 3);
const BARS = [
  { id: "gpt-5", name: "gpt-5", value: 6.2, shown: "¥6.20", exact: "¥6.20216229" },
  { id: "qwen3-max", name: "qwen3-max", value: 3.5, shown: "¥3.50", exact: "¥3.503" },
];
const DAYS = ["2026-11-20", "2026-11-21"];
const TOTALS = ["1.25", "0.75"];
const SERIES = [
  { id: "gpt-5", name: "gpt-5", values: ["1", "0.5"], total: "1.5" },
  { id: "qwen3-max", name: "qwen3-max", values: ["0.2", "0.25"], total: "0.45" },
  { id: OTHER, name: "Other", values: ["0.05", "0"], total: "0.05" },
];
const FILE = new File([""], "a picture with a rather long name.png");
const axis = (value: number): string => `¥${value}`;
const SAMPLE_MS = Date.UTC(2026, 4, 25, 1, 52, 9);

export function DesignPage() {
  const { t } = useTranslation();
  return (
    <Main>
      <PageHeader title={t("design.title")} />
      <Gallery />
    </Main>
  );
}

function Gallery() {
  const say = useSay();
  const [on, setOn] = useState(true);
  const [tab, setTab] = useState("one");
  const [choice, setChoice] = useState<"one" | "two">("one");
  const [chosen, setChosen] = useState<string[]>(["openai"]);
  const [open, setOpen] = useState<"dialog" | "drawer" | "confirm" | "secret" | null>(null);
  return (
    <>
      <Section title="Buttons">
        <div className="flex flex-wrap items-center gap-2">
          {(["primary", "plain", "quiet", "danger"] as const).map((kind) => (
            <span key={kind} className="flex items-center gap-2">
              <Button kind={kind}>{kind}</Button>
              <Button kind={kind} size="sm">
                small
              </Button>
              <Button kind={kind} disabled>
                disabled
              </Button>
              <Button kind={kind} busy>
                busy
              </Button>
            </span>
          ))}
          <IconButton label="search">
            <Icon name="search" />
          </IconButton>
        </div>
      </Section>
      <Section title="Fields">
        <div className="grid max-w-3xl gap-4 sm:grid-cols-2">
          <Input label="Plain" placeholder="placeholder" />
          <Input label="With a hint" hint="What to write here" />
          <Input label="Wrong" defaultValue="12,5" problem="An amount, such as 12.50" />
          <Input label="Disabled" disabled defaultValue="fixed" />
          <Select label="Select" options={[{ value: "a", label: "First" }]} />
          <Textarea label="Text" rows={2} />
          <FileInput label="File" accept="image/*" files={[]} onChange={() => {}} />
          <FileInput label="Chosen file" accept="image/*" files={[FILE]} onChange={() => {}} />
          <DateRange from="2026-11-01" to="" today="2026-11-21" onChange={() => say("days")} />
          <Checkbox label="Check box" checked={on} onChange={setOn} />
          <Switch label="Switch" hint="What it does" checked={on} onChange={setOn} />
        </div>
      </Section>
      <Section title="Words and numbers">
        <div className="flex flex-wrap items-center gap-4">
          {TONES.map((tone) => (
            <Badge key={tone} tone={tone}>
              {tone}
            </Badge>
          ))}
          {["GET", "POST", "PATCH", "DELETE"].map((method) => (
            <Method key={method} method={method} />
          ))}
          <Money value="0.00228125" />
          <Money value="1234567.891" total />
          <Money value="-3.5" />
          <Time ms={SAMPLE_MS} />
          <Tokens count={12_345} />
          <Copyable value="req_0123456789" />
        </div>
      </Section>
      <Section title="Notes">
        <div className="flex max-w-2xl flex-col gap-3">
          <Note>Something to know.</Note>
          <Note tone="warn">Something to mind.</Note>
          <ErrorNote error={FAILURE} onRetry={() => say("again")} />
          <Skeleton className="h-4 w-1/2" />
        </div>
      </Section>
      <Section title="Choices">
        <div className="flex flex-wrap items-center gap-3">
          <Segmented
            label="Choice"
            value={choice}
            onChange={setChoice}
            choices={[
              { value: "one", label: "One" },
              { value: "two", label: "Two" },
            ]}
          />
          <FilterChip
            label="Vendor"
            choices={[
              { value: "openai", title: "OpenAI", count: 16 },
              { value: "zhipu", title: "GLM", count: 2 },
            ]}
            chosen={chosen}
            onChange={setChosen}
          />
          <Menu button={<Button>Menu</Button>}>
            <MenuLabel>Things to do</MenuLabel>
            <MenuItem onSelect={() => say("chosen")}>Choose</MenuItem>
            <MenuItem danger onSelect={() => say("gone")}>
              Remove
            </MenuItem>
            <MenuSeparator />
            <MenuChoices
              value={choice}
              onChange={setChoice}
              choices={[
                { value: "one", label: "One" },
                { value: "two", label: "Two" },
              ]}
            />
          </Menu>
          <Button onClick={() => setOpen("dialog")}>Dialog</Button>
          <Button onClick={() => setOpen("drawer")}>Drawer</Button>
          <Button onClick={() => setOpen("confirm")}>Confirm</Button>
          <Button onClick={() => setOpen("secret")}>Secret</Button>
          <Button onClick={() => say("Saved")}>Toast</Button>
        </div>
        <div className="mt-4">
          <Tabs
            label="Tabs"
            value={tab}
            onChange={setTab}
            tabs={[
              { id: "one", label: "One", content: "First" },
              { id: "two", label: "Two", content: "Second" },
            ]}
          />
        </div>
      </Section>
      <Section title="Data">
        <div className="grid gap-4 md:grid-cols-3">
          <Stat name="Balance" hint="before holds">
            <Money value="88.5" total />
          </Stat>
          <Card>
            <Facts
              facts={[
                ["Context", "256K"],
                ["Series", "Qwen"],
              ]}
            />
          </Card>
        </div>
        <div className="mt-4 flex flex-col gap-4">
          <Table
            label="Rows"
            rows={ROWS}
            rowKey={(row) => row.id}
            empty={null}
            sort="name"
            onSort={() => say("sorted")}
            columns={[
              { id: "name", title: "Name", sort: "name", cell: (row) => row.name },
              { id: "cost", title: "Cost", right: true, cell: (row) => <Money value={row.cost} /> },
            ]}
          />
          <Table
            label="Loading"
            rows={undefined}
            rowKey={() => ""}
            empty={null}
            skeletonRows={2}
            columns={[{ id: "name", title: "Name", cell: () => null }]}
          />
          <Table
            label="Empty"
            rows={[]}
            rowKey={() => ""}
            empty={<Empty title="Nothing yet">What will be here.</Empty>}
            columns={[{ id: "name", title: "Name", cell: () => null }]}
          />
        </div>
      </Section>
      <Section title="Charts">
        <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
          <Suspense fallback={<Skeleton className="h-72 w-full" />}>
            <BarsChart bars={BARS} label="Bars" horizontal colourful axis={axis} />
            <div className="min-w-0">
              <StackedChart days={DAYS} totals={TOTALS} series={SERIES} label="Stacked" total="Total" axis={axis} />
            </div>
          </Suspense>
        </div>
      </Section>
      <Section title="Code">
        <Code title="Python" language="python" code={"import os\n\n# A comment\nprint(f\"{os.environ['KEY']}\", 42)"} />
      </Section>
      <Dialog open={open === "dialog"} onOpenChange={() => setOpen(null)} title="Dialog" description="What it is about">
        Content
      </Dialog>
      <Drawer open={open === "drawer"} onOpenChange={() => setOpen(null)} title="Drawer">
        Content
      </Drawer>
      <Confirm
        open={open === "confirm"}
        onOpenChange={() => setOpen(null)}
        title="Remove it?"
        action="Remove"
        onConfirm={() => Promise.reject(FAILURE)}
      >
        What cannot be undone.
      </Confirm>
      {open === "secret" && (
        <SecretDialog title="Secret" name="name" secret="sk-0123456789" onClose={() => setOpen(null)} />
      )}
    </>
  );
}
