// Leaving a broker alone for a while.

export const pause = (ms: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, ms))
