// Publishes the backup of a file's manifest, and kills its own process at the change of the file system that it is told.
import { readFileSync } from "node:fs";
import { parseManifest } from "@knib/core";
import { openRepository } from "../../../../apps/host-daemon/src/repository/open-repository.ts";
import { openOptions } from "./directory-harness.ts";

const [path = "", manifestFile = "", stop = "0"] = process.argv.slice(2);
let armed = false;
let count = 0;
const hook = (): void => {
	if (!armed) return;
	count += 1;
	if (count === Number(stop)) process.kill(process.pid, "SIGKILL");
};
const repository = await openRepository(openOptions(path, { hook }));
armed = true;
await repository.publish(parseManifest(JSON.parse(readFileSync(manifestFile, "utf8"))));
process.stdout.write(String(count));
