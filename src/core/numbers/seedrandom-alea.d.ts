declare module "seedrandom/lib/alea.js" {
  /** Alea alone, without seedrandom's other generators (its types cover only the package's main file). */
  function alea(key: string, options: { state: true | alea.State }): alea.PRNG;
  namespace alea {
    type State = Readonly<{ c: number; s0: number; s1: number; s2: number }>;
    interface PRNG {
      (): number;
      double(): number;
      state(): State;
    }
  }
  export default alea;
}
