import { describe, expect, it } from "vitest";

import { hasEnded, jobIdOf, readJobEvents } from "@/lib/jobs";

describe("jobIdOf", () => {
  it.each([
    ["a video", { id: "video_1a", object: "video", status: "queued" }],
    ["a job", { id: "job_1a", object: "job", state: "running" }],
    ["a task of DashScope", { output: { task_id: "1-a", task_status: "PENDING" }, request_id: "x" }],
    ["music that was submitted", { code: "success", message: "", data: "job_1a" }],
    ["music that was asked about", { code: "success", message: "", data: { task_id: "job_1a", status: "SUCCESS" } }],
  ])("knows %s", (_, answer) => {
    expect(jobIdOf(JSON.stringify(answer))).toBe("job_1a");
  });

  it.each([
    "",
    "{",
    "[]",
    "null",
    "<html>",
    '{"object": "list", "data": []}',
    '{"object": "video"}',
    '{"object": "job.deleted", "id": "job_1a"}',
    '{"output": {"task_id": "1-a", "task_status": "UNKNOWN"}}',
    '{"code": "success", "data": null}',
    '{"code": "success", "data": [{"task_id": "job_1a"}]}',
  ])("takes nothing else for a job: %s", (body) => {
    expect(jobIdOf(body)).toBeNull();
  });
});

const job = (more: object) =>
  JSON.stringify({ id: "job_1", object: "job", state: "running", progress: 40, files: [], error: null, ...more });

describe("readJobEvents", () => {
  it("tells the newest state, also while an event comes", () => {
    const told = `event: job\ndata: ${job({ state: "queued", progress: 0 })}\n\nevent: job\ndata: ${job({})}\n\n`;

    expect(readJobEvents(told)).toMatchObject({ id: "job_1", state: "running", percent: 40 });
    expect(readJobEvents(`${told}event: job\ndata: {"id": "job_1", "obj`)).toMatchObject({ state: "running" });
    expect(readJobEvents(": \n\n")).toBeNull();
  });

  it("names its files below this host, and why it failed", () => {
    const files = [
      { name: "clip.mp3", type: "audio/mpeg", url: "https://ai.example.com/v1/results/job_1/clip.mp3?s=a" },
    ];

    expect(readJobEvents(`data: ${job({ state: "succeeded", files })}\n\n`)?.files).toEqual([
      { name: "clip.mp3", type: "audio/mpeg", path: "/v1/results/job_1/clip.mp3?s=a" },
    ]);
    const failed = readJobEvents(`data: ${job({ state: "failed", error: { code: "x", message: "No." } })}\n\n`);
    expect(failed?.error).toBe("No.");
    expect(failed && hasEnded(failed)).toBe(true);
  });
});
