import { describe, expect, it } from "vitest";

import { readable, readPictures } from "@/lib/pictures";

const PNG = "iVBORw0KGgoAAAANSUhEUg";

describe("readPictures", () => {
  it("finds every picture of an answer", () => {
    const body = JSON.stringify({ created: 1, data: [{ b64_json: PNG }, { b64_json: "/9j/4AAQ" }] });

    expect(readPictures(body)).toEqual([`data:image/png;base64,${PNG}`, "data:image/jpeg;base64,/9j/4AAQ"]);
  });

  it("shows the newest of a stream, also while an event comes", () => {
    const event = (data: object) => `event: x\ndata: ${JSON.stringify(data)}\n\n`;
    const told = event({ type: "image_generation.partial_image", b64_json: "/9j/4AAQ" }) + event({ b64_json: PNG });

    expect(readPictures(told)).toEqual([`data:image/png;base64,${PNG}`]);
    expect(readPictures(`${told}event: x\ndata: {"b64_j`)).toEqual([`data:image/png;base64,${PNG}`]);
  });

  it.each([
    "",
    "null",
    "[]",
    '{"data": null}',
    '{"data": [null, {"url": "https://a.example/b.png"}]}',
    '{"data": [{}]}',
  ])("finds none in %s", (body) => {
    expect(readPictures(body)).toEqual([]);
  });

  it("takes no other text for a picture", () => {
    expect(readPictures('{"data": [{"b64_json": "javascript:alert(1)"}]}')).toEqual([]);
  });
});

describe("readable", () => {
  it("cuts what nobody reads, and no prose", () => {
    const prose = "so it goes ".repeat(100);
    const body = JSON.stringify({ b64_json: PNG.repeat(50), text: prose });

    expect(JSON.parse(readable(body))).toEqual({
      b64_json: `${PNG.repeat(50).slice(0, 100)}… (${PNG.length * 50})`,
      text: prose,
    });
    expect(readable("data: 1")).toBe("data: 1");
  });
});
