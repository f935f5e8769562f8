import { expect, it } from "vitest";
import { fileSystems, userNames } from "./guest-shapes";

it("reads file systems as the agent names them, and as old agents do", () => {
  const raw = [
    { mountpoint: "/", type: "ext4", "used-bytes": 1, "total-bytes": 2 },
    { mountpoint: "/x", type: "vfat" },
    "nonsense",
  ];
  expect(fileSystems(raw)).toEqual([
    { mountpoint: "/", type: "ext4", used: 1, total: 2 },
    { mountpoint: "/x", type: "vfat", used: null, total: null },
  ]);
  expect(fileSystems(undefined)).toEqual([]);
});

it("names each user once", () => {
  expect(userNames([{ user: "root" }, { user: "root" }, "debian"])).toEqual(["root", "debian"]);
});
