import { describe, expect, it } from "vitest";
import { diffInput } from "./touch-input";

describe("diffInput", () => {
  it.each([
    ["__", "__a", { erase: 0, insert: "a" }],
    ["__ab", "__a", { erase: 1, insert: "" }],
    ["__teh", "__the ", { erase: 2, insert: "he " }],
    ["__", "__", { erase: 0, insert: "" }],
    ["__😀", "__", { erase: 1, insert: "" }],
  ])("from %s to %s", (before, after, edit) => expect(diffInput(before, after)).toEqual(edit));
});
