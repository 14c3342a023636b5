// Opens the log of the store in argv[2] with a vacuum, and kills itself after the step that argv[3] names.
import { openStoreLog } from "../../../packages/sync/src/storage/open-store-log.ts";

const [, , dir = "", last = ""] = process.argv;
const log = await openStoreLog(dir, {
	vacuumFrom: 1,
	onVacuumStep: (step) => {
		if (step === last) process.kill(process.pid, "SIGKILL");
	},
});
await log.close();
