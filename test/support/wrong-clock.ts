// Loaded into a daemon before its own modules (`--import`): its wall clock is WRONG_CLOCK_MS off. Timers and the monotonic clock are right,
// unless HOURLY names a file: what is done every hour is then done five times a second, and each time adds a byte to it.
import { appendFileSync } from "node:fs";

const off = Number(process.env["WRONG_CLOCK_MS"] ?? 0);
const Right = Date;

globalThis.Date = new Proxy(Right, {
	construct: (_target, args: readonly unknown[], newTarget: typeof Date): Date => {
		const given = args.length === 0 ? [Right.now() + off] : args;
		return Reflect.construct(Right, given, newTarget) as Date;
	},
	get: (target, key, receiver): unknown =>
		key === "now" ? () => Right.now() + off : Reflect.get(target, key, receiver),
});

const HOUR_MS = 3_600_000;
const hourly = process.env["HOURLY"];
const { setInterval: every } = globalThis;
if (hourly !== undefined) {
	const faster = (run: () => void, ms?: number): NodeJS.Timeout => {
		if (ms !== HOUR_MS) return every(run, ms);
		return every(() => {
			run();
			appendFileSync(hourly, ".");
		}, 200);
	};
	globalThis.setInterval = Object.assign(faster, every);
}
