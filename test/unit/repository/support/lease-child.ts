// Races for a VM's lease: at a given moment, again and again until the deadline, and prints the numbers it won, one a line.
import { setTimeout as sleep } from "node:timers/promises";
import { KnibError } from "@knib/core";
import { openRepository } from "../../../../apps/host-daemon/src/repository/open-repository.ts";
import { MANIFEST_VM } from "../../../support/builders/manifest.ts";
import { openOptions } from "./directory-harness.ts";

const [path = "", holder = "", rounds = "1"] = process.argv.slice(2);
const repository = await openRepository(openOptions(path, { hostId: holder }));

const tryOnce = async (): Promise<number | undefined> => {
	try {
		const lease = await repository.lease(MANIFEST_VM, holder);
		await lease.check();
		return lease.fencing;
	} catch (thrown) {
		if (thrown instanceof KnibError && thrown.code === "LEASE_HELD") return undefined;
		throw thrown;
	}
};

process.send?.("ready");
let round = 0;
process.on("message", () => {
	round += 1;
	void tryOnce().then(async (fencing) => {
		process.send?.(fencing ?? 0);
		if (round === Number(rounds)) {
			await sleep(10);
			process.disconnect();
		}
	});
});
