// Loaded into a daemon before its own modules (`--import`): its wall clock is WRONG_CLOCK_MS off. Timers and the monotonic clock are right.
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
