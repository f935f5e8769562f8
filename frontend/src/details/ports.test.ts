import { describe, expect, it } from "vitest";
import type { Port } from "../api/types";
import { guestSide, hostSide, sshCommand, webUrl } from "./ports";

const port = (changes: Partial<Port>): Port => ({
  address: "127.0.0.1",
  host: 2222,
  guest: 22,
  protocol: "tcp",
  count: 1,
  ...changes,
});

describe("ports", () => {
  it("show addresses and ranges", () => {
    expect(hostSide(port({}))).toBe("127.0.0.1:2222");
    expect(hostSide(port({ address: "::1", count: 3 }))).toBe("[::1]:2222–2224");
    expect(hostSide(port({ address: "0.0.0.0" }))).toBe("*:2222");
    expect(guestSide(port({ protocol: "udp", guest: 53 }))).toBe("53/udp");
  });

  it("give the command that logs in", () => {
    expect(sshCommand(port({}), "debian")).toBe("ssh -p 2222 debian@127.0.0.1");
    expect(sshCommand(port({ address: "", host: 100, guest: 20, count: 5 }), null)).toBe(
      "ssh -p 102 127.0.0.1",
    );
    expect(sshCommand(port({ guest: 80 }), "debian")).toBeNull();
    expect(sshCommand(port({ protocol: "udp" }), "debian")).toBeNull();
  });

  it("give the address of what is probably a web server", () => {
    expect(webUrl(port({ host: 8080, guest: 80 }))).toBe("http://127.0.0.1:8080/");
    expect(webUrl(port({ address: "::1", host: 8443, guest: 443 }))).toBe("https://[::1]:8443/");
    expect(webUrl(port({}))).toBeNull();
  });
});
