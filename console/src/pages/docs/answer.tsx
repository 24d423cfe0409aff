/** What came back from the public API: its words, pictures, sound or film, how far its job is, and what it cost. */
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { TrialAnswer, TrialBill } from "@/api/try-it";
import { hasEnded, readJobEvents, type JobFile, type SeenJob } from "@/lib/jobs";
import { readable, readPictures } from "@/lib/pictures";
import { readSpoken } from "@/lib/sse";
import { showDuration } from "@/lib/time";
import { Code } from "@/parts/code";
import { Copyable } from "@/parts/copy";
import { Money, Tokens } from "@/parts/figures";
import { Badge, Note } from "@/parts/notes";
import { Tabs, type Tab } from "@/parts/tabs";

export interface Run {
  state: "idle" | "running" | "done" | "stopped";
  answer: TrialAnswer | null;
  /** What the answer began, or is about. */
  job: SeenJob | null;
  bill: TrialBill | null;
  error: unknown;
}

export function AnswerView({ run, answer }: { run: Run; answer: TrialAnswer }) {
  const { t } = useTranslation();
  const [tab, setTab] = useState("answer");
  const job = run.job ?? readJobEvents(answer.body);
  const tabs = [
    ...toBeRead(answer, run.state === "running", t("try.answer")),
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
          <span className="shrink-0">{t("errors.request_id")}</span> <Copyable value={answer.requestId} />
        </p>
      )}
      {job && <JobView job={job} />}
      <Tabs
        label={t("try.title")}
        tabs={tabs}
        value={tabs.some((one) => one.id === tab) ? tab : "body"}
        onChange={setTab}
      />
    </div>
  );
}

/** Return the tab of an answer that is for people: words or pictures; none of one that is for programs alone. */
function toBeRead(answer: TrialAnswer, coming: boolean, label: string): Tab[] {
  const spoken = readSpoken(answer.body);
  const pictures = readPictures(answer.body);
  if (!spoken && pictures.length === 0) return [];
  const content = spoken ? (
    <div className="max-h-96 overflow-y-auto whitespace-pre-wrap" aria-live="polite" aria-busy={coming}>
      {spoken.thinking && (
        <p className="mb-2 border-l-2 border-line-strong pl-3 text-[13px] text-soft">{spoken.thinking}</p>
      )}
      {spoken.text}
    </div>
  ) : (
    <Pictures urls={pictures} />
  );
  return [{ id: "answer", label, content }];
}

function JobView({ job }: { job: SeenJob }) {
  const { t } = useTranslation();
  const state = t(`jobs.state_${job.state}`);
  const shown = job.state === "running" ? t("try.job_progress", { state, percent: job.percent }) : state;
  return (
    <div className="mb-4 flex flex-col gap-3" aria-live="polite">
      <p className="flex items-center gap-1 text-[13px] text-soft">
        <span className="shrink-0">{t("jobs.id")}</span> <Copyable value={job.id} />
      </p>
      {hasEnded(job) ? (
        <p className="text-[13px]">
          <Badge tone={job.state === "succeeded" ? "good" : "warn"}>{state}</Badge>
        </p>
      ) : (
        <div className="flex items-center gap-3 text-[13px]">
          <progress className="h-2 w-full accent-accent" max={100} value={job.percent} aria-label={shown} />
          <span className="shrink-0 tabular-nums">{shown}</span>
        </div>
      )}
      {job.error !== null && <Note tone="warn">{job.error}</Note>}
      <Results files={job.files} />
    </div>
  );
}

/** Pictures together, then what is to be heard and seen, then all else to be saved. */
function Results({ files }: { files: readonly JobFile[] }) {
  const of = (kind: string) => files.filter((file) => file.type.startsWith(kind));
  const others = files.filter((file) => !/^(image|audio|video)\//.test(file.type));
  return (
    <>
      <Pictures urls={of("image/").map((file) => file.path)} />
      {of("audio/").map((file) => (
        <figure key={file.name}>
          <figcaption className="mb-1 font-mono text-[13px] break-all text-soft">{file.name}</figcaption>
          <Sound url={file.path} name={file.name} />
        </figure>
      ))}
      {of("video/").map((file) => (
        <Film key={file.name} url={file.path} name={file.name} />
      ))}
      {others.map((file) => (
        <p key={file.name}>
          <a href={file.path} download className="text-accent underline underline-offset-3">
            {file.name}
          </a>
        </p>
      ))}
    </>
  );
}

function Pictures({ urls }: { urls: readonly string[] }) {
  const { t } = useTranslation();
  if (urls.length === 0) return null;
  return (
    <ul className={urls.length > 1 ? "grid grid-cols-2 gap-2" : ""}>
      {urls.map((url, index) => (
        <li key={url}>
          <a href={url} target="_blank" rel="noreferrer">
            <img
              src={url}
              alt={t("try.picture", { number: index + 1 })}
              className="max-h-96 max-w-full rounded-md border border-line"
            />
          </a>
        </li>
      ))}
    </ul>
  );
}

function Sound({ url, name }: { url: string; name: string }) {
  // eslint-disable-next-line jsx-a11y/media-has-caption -- what a model just made has no captions
  return <audio src={url} controls aria-label={name} className="w-full" />;
}

function Film({ url, name }: { url: string; name: string }) {
  // eslint-disable-next-line jsx-a11y/media-has-caption -- what a model just made has no captions
  return <video src={url} controls className="max-h-96 max-w-full rounded-md" aria-label={name} />;
}

/** What was used and what it cost; what is not paid by tokens has none to tell. */
function Bill({ run }: { run: Run }) {
  const { t } = useTranslation();
  if (!run.bill)
    return run.state === "running" && run.answer?.billed && !run.job ? (
      <span className="text-faint">{t("try.billing")}</span>
    ) : null;
  const { input_tokens, output_tokens, cost } = run.bill;
  const billed = run.job?.id ?? run.answer?.requestId;
  return (
    <>
      {input_tokens !== null && input_tokens > 0 && (
        <span>
          {t("calls.input")} <Tokens count={input_tokens} />
        </span>
      )}
      {output_tokens !== null && output_tokens > 0 && (
        <span>
          {t("calls.output")} <Tokens count={output_tokens} />
        </span>
      )}
      {cost !== null && billed && (
        <Link to="/console/calls/$id" params={{ id: billed }} className="text-accent underline underline-offset-3">
          {t("calls.cost")} <Money value={cost} />
        </Link>
      )}
    </>
  );
}

function Body({ answer }: { answer: TrialAnswer }) {
  const { t } = useTranslation();
  if (answer.file) {
    const { url, type } = answer.file;
    if (type.startsWith("image/")) return <Pictures urls={[url]} />;
    if (type.startsWith("audio/")) return <Sound url={url} name={t("try.answer")} />;
    if (type.startsWith("video/")) return <Film url={url} name={t("try.answer")} />;
    return (
      <a href={url} download className="text-accent underline underline-offset-3">
        {t("try.save")}
      </a>
    );
  }
  return <Code code={readable(answer.body)} language={answer.body.startsWith("{") ? "json" : ""} copy={answer.body} />;
}

/** The answer begins below a long body; whoever sent it wants to see it come. */
function bringIntoView(answer: HTMLElement | null) {
  answer?.scrollIntoView({ block: "nearest" });
}
