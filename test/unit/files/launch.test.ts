import { KnibError } from "@knib/core";
import test from "ava";
import type { Answer, StartGuestfish } from "../../../apps/host-daemon/src/files/guestfish.ts";
import { createStartAppliance } from "../../../apps/host-daemon/src/files/launch.ts";

const DEADLINES = { acceleratedMs: 10, emulatedMs: 1000 };
const LAYER = "/repository/vda.qcow2";

type Kind = "starts" | "stands still" | "ends" | "fails";

/** guestfishes whose accelerated and emulated appliances fare as told; `log` has what happened to each. */
const guestfishes = (accelerated: Kind, emulated: Kind) => {
	const log: string[] = [];
	let count = 0;
	const start: StartGuestfish = () => {
		count += 1;
		const name = `${count}`;
		let kind = accelerated;
		let up = false;
		const run = async (deadlineMs = 0): Promise<Answer> => {
			log.push(`${name} ${kind}`);
			if (kind === "stands still") {
				throw new KnibError("DEADLINE", `guestfish did not answer within ${deadlineMs} ms`);
			}
			if (kind === "ends") throw new KnibError("APPLIANCE_UNAVAILABLE", "guestfish ended");
			up = kind === "starts";
			return { lines: [], errors: up ? "" : `libguestfs: error: no ${name}\n` };
		};
		return {
			ask: async (line, deadlineMs) => {
				if (line === "set-backend-setting force_tcg 1") kind = emulated;
				if (line === "run") return await run(deadlineMs);
				return { lines: line === "list-devices" && up ? ["/dev/sda"] : [], errors: "" };
			},
			close: async () => void log.push(`${name} closed`),
		};
	};
	return { start: createStartAppliance(start, DEADLINES), log };
};

test("appliance › starts with what is fastest", async (t) => {
	const { start, log } = guestfishes("starts", "fails");
	await (await start("/x", LAYER)).close();
	t.deepEqual(log, ["1 starts", "1 closed"]);
});

test("appliance › is emulated where KVM refuses it, and KVM is tried again the next time", async (t) => {
	const { start, log } = guestfishes("fails", "starts");
	await start("/x", LAYER);
	await start("/y", LAYER);
	t.deepEqual(log, ["1 fails", "1 closed", "2 starts", "3 fails", "3 closed", "4 starts"]);
});

test("appliance › is emulated where KVM stands still, which is waited for once", async (t) => {
	const { start, log } = guestfishes("stands still", "starts");
	await start("/x", LAYER);
	await start("/y", LAYER);
	t.deepEqual(log, ["1 stands still", "1 closed", "2 starts", "3 starts"]);
});

test("appliance › that starts in no way says why the better way failed, and nothing is left", async (t) => {
	const { start, log } = guestfishes("fails", "fails");
	const error = await t.throwsAsync(start("/x", LAYER), { instanceOf: KnibError });
	t.is(error?.code, "APPLIANCE_UNAVAILABLE");
	t.regex(error?.message ?? "", /does not start: no 1$/);
	t.deepEqual(log, ["1 fails", "1 closed", "2 fails", "2 closed"]);
});

test("appliance › whose guestfish ends is not tried again, and nothing is left", async (t) => {
	const { start, log } = guestfishes("ends", "starts");
	await t.throwsAsync(start("/x", LAYER), { message: "guestfish ended" });
	t.deepEqual(log, ["1 ends", "1 closed"]);
});

test("appliance › that stands still in both ways is a missed deadline, and nothing is left", async (t) => {
	const { start, log } = guestfishes("stands still", "stands still");
	const error = await t.throwsAsync(start("/x", LAYER), { instanceOf: KnibError });
	t.is(error?.code, "DEADLINE");
	t.deepEqual(log, ["1 stands still", "1 closed", "2 stands still", "2 closed"]);
});
