/** Try it: send the request from the page, see the answer come, and what it cost. */
import { Link, useRouterState } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useSessionKey } from "@/api/keys";
import { useOrg } from "@/api/orgs";
import { fetchTrialBill, sendTrial, type TrialAnswer, type TrialBill } from "@/api/try-it";
import type { PageStatus, SampleRequestOut } from "@/api/types";
import { showDuration } from "@/lib/time";
import { readSpoken } from "@/lib/sse";
import { useTabKey } from "@/lib/tab-key";
import { Button } from "@/parts/button";
import { Code } from "@/parts/code";
import { Copyable } from "@/parts/copy";
import { Input, Textarea } from "@/parts/field";
import { Money, Tokens } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Badge, ErrorNote, Note } from "@/parts/notes";
import { Tabs } from "@/parts/tabs";

export function TryIt({ request, status }: { request: SampleRequestOut; status?: PageStatus }) {
  const { t } = useTranslation();
  const org = useOrg();
  const tabKey = useTabKey();
  const href = useRouterState({ select: (state) => state.location.href });
  const [open, setOpen] = useState(false);
  const allowed = org !== null || tabKey !== null;
  return (
    <section aria-label={t("try.title")} className="rounded-lg border border-line">
      <div className="flex items-center justify-between gap-3 px-3 py-2">
        <h2 className="font-semibold">{t("try.title")}</h2>
        {allowed ? (
          <Button size="sm" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t("common.close") : t("try.open")}
          </Button>
        ) : (
          <Link to="/sign-in" search={{ next: href }} className="text-accent underline underline-offset-3">
            {t("try.sign_in")}
          </Link>
        )}
      </div>
      {open && allowed && (
        <div className="border-t border-line p-3">
          {status === "developing" && (
            <div className="mb-3">
              <Note tone="warn">{t("docs.developing_text")}</Note>
            </div>
          )}
          <Bench request={request} />
        </div>
      )}
    </section>
  );
}

interface Run {
  state: "idle" | "running" | "done" | "stopped";
  answer: TrialAnswer | null;
  bill: TrialBill | null;
  error: unknown;
}

const IDLE: Run = { state: "idle", answer: null, bill: null, error: null };

function useTrial(request: SampleRequestOut) {
  const sessionKey = useSessionKey();
  const org = useOrg();
  const tabKey = useTabKey();
  const stop = useRef<AbortController | null>(null);
  const [run, setRun] = useState<Run>(IDLE);
  const send = async (path: string, body: string | null) => {
    const controller = new AbortController();
    stop.current = controller;
    setRun({ ...IDLE, state: "running" });
    try {
      const key = org ? (await sessionKey.mutateAsync()).secret : (tabKey ?? "");
      const trial = { method: request.method, path, headers: request.headers, body };
      const answer = await sendTrial(
        trial,
        key,
        (seen) => setRun((old) => ({ ...old, answer: seen })),
        controller.signal,
      );
      const bill =
        answer.requestId && answer.billed ? await fetchTrialBill(answer.requestId, key, controller.signal) : null;
      setRun({ state: "done", answer, bill, error: null });
    } catch (error) {
      setRun((old) => ({
        ...old,
        state: controller.signal.aborted ? "stopped" : "done",
        error: controller.signal.aborted ? null : error,
      }));
    }
  };
  return { run, send, stop: () => stop.current?.abort() };
}

function Bench({ request }: { request: SampleRequestOut }) {
  const { t } = useTranslation();
  const [path, setPath] = useState(request.path);
  const [body, setBody] = useState(request.body ?? "");
  const { run, send, stop } = useTrial(request);
  const form = (request.headers["Content-Type"] ?? "").startsWith("multipart/");
  const problem = request.body === null || isJson(body) ? null : t("try.not_json");
  if (form) return <p className="text-soft">{t("try.form")}</p>;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!problem) void send(path, request.body === null ? null : body);
      }}
    >
      <div className="flex flex-col gap-3">
        <Input
          label={`${request.method} ${t("try.path")}`}
          className="font-mono text-[13px]"
          value={path}
          onChange={(event) => setPath(event.target.value)}
        />
        {request.body !== null && (
          <Textarea
            label={t("try.body")}
            className="font-mono text-[13px]"
            rows={Math.min(16, body.split("\n").length + 1)}
            spellCheck={false}
            problem={problem}
            value={body}
            onChange={(event) => setBody(event.target.value)}
          />
        )}
        <div className="flex items-center gap-2">
          <Button type="submit" kind="primary" disabled={problem !== null} busy={run.state === "running"}>
            {run.state !== "running" && <Icon name="play" className="size-3.5" />}
            {t("try.send")}
          </Button>
          {run.state === "running" && (
            <Button onClick={stop}>
              <Icon name="stop" className="size-3.5" />
              {t("try.stop")}
            </Button>
          )}
          <span className="text-[13px] text-faint">{t("try.cost_hint")}</span>
        </div>
      </div>
      {run.error !== null && (
        <div className="mt-3">
          <ErrorNote error={run.error} />
        </div>
      )}
      {run.answer && <AnswerView run={run} answer={run.answer} />}
    </form>
  );
}

function AnswerView({ run, answer }: { run: Run; answer: TrialAnswer }) {
  const { t } = useTranslation();
  const spoken = readSpoken(answer.body);
  const [tab, setTab] = useState("answer");
  const tabs = [
    ...(spoken
      ? [
          {
            id: "answer",
            label: t("try.answer"),
            content: (
              <div
                className="max-h-96 overflow-y-auto whitespace-pre-wrap"
                aria-live="polite"
                aria-busy={run.state === "running"}
              >
                {spoken.thinking && (
                  <p className="mb-2 border-l-2 border-line-strong pl-3 text-[13px] text-soft">{spoken.thinking}</p>
                )}
                {spoken.text}
              </div>
            ),
          },
        ]
      : []),
    { id: "body", label: t("try.raw"), content: <Body answer={answer} /> },
    {
      id: "headers",
      label: t("try.headers", { count: answer.headers.length }),
      content: <Code code={answer.headers.map(([name, value]) => `${name}: ${value}`).join("\n")} language="http" />,
    },
  ];
  return (
    <div ref={bringIntoView} className="mt-4 border-t border-line pt-3">
      <div className="mb-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-[13px]">
        <Badge tone={answer.status < 400 ? "good" : "bad"}>
          {answer.status} {answer.statusText}
        </Badge>
        <span>{t("try.first_byte", { time: showDuration(answer.firstByteMs) })}</span>
        {answer.totalMs !== null && <span>{t("try.total", { time: showDuration(answer.totalMs) })}</span>}
        {run.state === "stopped" && <Badge tone="warn">{t("try.stopped")}</Badge>}
        <Bill run={run} />
      </div>
      {answer.requestId && (
        <p className="mb-2 flex items-center gap-1 text-[13px] text-soft">
          {t("errors.request_id")} <Copyable value={answer.requestId} />
        </p>
      )}
      <Tabs
        label={t("try.title")}
        tabs={tabs}
        value={tabs.some((one) => one.id === tab) ? tab : "body"}
        onChange={setTab}
      />
    </div>
  );
}

/** The answer begins below a long body; whoever sent it wants to see it come. */
function bringIntoView(answer: HTMLElement | null) {
  answer?.scrollIntoView({ block: "nearest" });
}

function Bill({ run }: { run: Run }) {
  const { t } = useTranslation();
  if (!run.bill)
    return run.state === "running" && run.answer?.billed ? (
      <span className="text-faint">{t("try.billing")}</span>
    ) : null;
  const { input_tokens, output_tokens, cost } = run.bill;
  return (
    <>
      {input_tokens !== null && (
        <span>
          {t("calls.input")} <Tokens count={input_tokens} />
        </span>
      )}
      {output_tokens !== null && (
        <span>
          {t("calls.output")} <Tokens count={output_tokens} />
        </span>
      )}
      {cost !== null && (
        <span>
          {t("calls.cost")} <Money value={cost} />
        </span>
      )}
    </>
  );
}

function Body({ answer }: { answer: TrialAnswer }) {
  const { t } = useTranslation();
  if (answer.file) {
    const { url, type } = answer.file;
    if (type.startsWith("image/")) return <img src={url} alt={t("try.answer")} className="max-w-full rounded-md" />;
    // eslint-disable-next-line jsx-a11y/media-has-caption -- what a model just said has no captions
    if (type.startsWith("audio/")) return <audio src={url} controls />;
    return (
      <a href={url} download className="text-accent underline underline-offset-3">
        {t("try.save")}
      </a>
    );
  }
  return <Code code={indented(answer.body)} language={answer.body.startsWith("{") ? "json" : ""} copy={answer.body} />;
}

function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
