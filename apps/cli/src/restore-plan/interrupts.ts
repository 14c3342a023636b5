import { EventEmitter } from "node:events";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

type Source = Pick<NodeJS.Process, "on" | "off" | "exit">;

/** One listener on the process for many that wait: each gets every signal, however many there are. */
export const shareInterrupts = (source: Source = process) => {
	const hub = new EventEmitter();
	hub.setMaxListeners(0);
	const tell = (signal: NodeJS.Signals): void => {
		hub.emit(signal);
	};
	for (const signal of SIGNALS) source.on(signal, tell);
	return {
		on: (signal: (typeof SIGNALS)[number], listener: () => void) => hub.on(signal, listener),
		off: (signal: (typeof SIGNALS)[number], listener: () => void) => hub.off(signal, listener),
		exit: (code: number): never => source.exit(code),
		/** Listens on the process no more. */
		close: (): void => {
			for (const signal of SIGNALS) source.off(signal, tell);
		},
	};
};
export type SharedInterrupts = ReturnType<typeof shareInterrupts>;
