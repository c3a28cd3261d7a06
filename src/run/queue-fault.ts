/**
 * What is wrong with a queue: it cannot be reached, it is full, or who works on it refuses. The machines' fault, never
 * that of the settings or of the simulation; what is finished is kept. It stands alone, so that who only tells of it
 * loads no queue.
 */
export class QueueFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = "QueueFault";
  }
}
