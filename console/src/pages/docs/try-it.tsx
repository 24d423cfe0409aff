/** Try it: send the request from the page, see the answer come, and what it cost. */
import { Link, useRouterState } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useSessionKey } from "@/api/keys";
import { useOrg } from "@/api/orgs";
import { fetchTrialBill, followJob, sendTrial } from "@/api/try-it";
import type { PageStatus, SampleRequestOut } from "@/api/types";
import { jobIdOf } from "@/lib/jobs";
import { useTabKey } from "@/lib/tab-key";
import { Button } from "@/parts/button";
import { Input, Textarea } from "@/parts/field";
import { Icon } from "@/parts/icons";
import { ErrorNote, Note } from "@/parts/notes";

import { AnswerView, type Run } from "./answer";
import { fieldsOf, FormFields, formOf, isMissing, type FormField, type FormShape } from "./form-fields";

interface Given {
  request: SampleRequestOut;
  /** What the body may have beyond the example when it is a form. */
  form?: FormShape;
}

export function TryIt({ status, ...given }: Given & { status?: PageStatus }) {
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
          <Bench {...given} />
        </div>
      )}
    </section>
  );
}

const NO_MORE: FormShape = { parameters: [], files: [] };
/** What a page's own key may be allowed at most, once the one it had was too small. */
const MOST_YUAN = "10";
const IDLE: Run = { state: "idle", answer: null, job: null, bill: null, error: null };

function useTrial(request: SampleRequestOut) {
  const sessionKey = useSessionKey();
  const org = useOrg();
  const tabKey = useTabKey();
  const stop = useRef<AbortController | null>(null);
  const [run, setRun] = useState<Run>(IDLE);
  const send = async (path: string, body: string | FormData | null, capYuan?: string) => {
    const controller = new AbortController();
    stop.current = controller;
    setRun({ ...IDLE, state: "running" });
    try {
      const key = org ? (await sessionKey.mutateAsync(capYuan)).secret : (tabKey ?? "");
      const trial = { method: request.method, path, headers: request.headers, body };
      const answer = await sendTrial(
        trial,
        key,
        (seen) => setRun((old) => ({ ...old, answer: seen })),
        controller.signal,
      );
      const jobId = jobIdOf(answer.body);
      if (jobId) await followJob(jobId, key, (job) => setRun((old) => ({ ...old, job })), controller.signal);
      const billId = jobId ?? answer.requestId;
      const bill = billId && answer.billed ? await fetchTrialBill(billId, key, controller.signal) : null;
      setRun((old) => ({ ...old, state: "done", bill }));
    } catch (error) {
      setRun((old) => ({
        ...old,
        state: controller.signal.aborted ? "stopped" : "done",
        error: controller.signal.aborted ? null : error,
      }));
    }
  };
  // By the words: each format has a code of its own.
  const isShort = org !== null && run.answer?.status === 402 && run.answer.body.includes("budget of");
  return { run, send, isShort, stop: () => stop.current?.abort() };
}

function Bench({ request, form = NO_MORE }: Given) {
  const { t } = useTranslation();
  const [path, setPath] = useState(request.path);
  const isForm = request.body !== null && (request.headers["Content-Type"] ?? "").startsWith("multipart/");
  const [body, setBody] = useState(request.body ?? "");
  const [fields, setFields] = useState<FormField[]>(() => (isForm ? fieldsOf(request.body ?? "{}") : []));
  const { run, send, isShort, stop } = useTrial(request);
  const problem = request.body === null || isForm || isJson(body) ? null : t("try.not_json");
  const missing = fields.find(isMissing);
  const submit = (capYuan?: string) => {
    if (!problem && !missing) void send(path, isForm ? formOf(fields) : request.body === null ? null : body, capYuan);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="flex flex-col gap-3">
        <Input
          label={`${request.method} ${t("try.path")}`}
          className="font-mono text-[13px]"
          value={path}
          onChange={(event) => setPath(event.target.value)}
        />
        {isForm && <FormFields fields={fields} shape={form} onChange={setFields} />}
        {request.body !== null && !isForm && (
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
        <div className="flex flex-wrap items-center gap-2">
          <Button
            type="submit"
            kind="primary"
            disabled={problem !== null || missing !== undefined}
            busy={run.state === "running"}
          >
            {run.state !== "running" && <Icon name="play" className="size-3.5" />}
            {t("try.send")}
          </Button>
          {run.state === "running" && (
            <Button onClick={stop}>
              <Icon name="stop" className="size-3.5" />
              {t("try.stop")}
            </Button>
          )}
          {isShort && run.state === "done" && (
            <Button onClick={() => submit(MOST_YUAN)}>{t("try.allow_more", { yuan: MOST_YUAN })}</Button>
          )}
          <span className="text-[13px] text-faint">
            {missing ? t("try.file_missing", { name: missing.name }) : t("try.cost_hint")}
          </span>
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

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
