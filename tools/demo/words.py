"""What the demo's dashboard says, in the languages of the integration."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language."""

    title: str
    home: str
    now: str
    phases: str
    phases_hint: str
    today: str
    last_days: str
    consumption: str
    house: str
    solar: str
    grid: str
    offtake: str
    injection: str
    imbalance: str
    energy: str
    tariff: str
    band: str
    price: str
    next_band: str
    band_ends: str
    cost_today: str
    cost_month: str
    quarter: str
    peak: str
    weeks: str
    origin: str
    street: str
    neighbours: str
    neighbours_now: str
    neighbours_today: str
    neighbours_month: str
    covered: str
    saved: str
    neighbours_price: str
    supplier_price: str
    by_hour: str
    by_day: str
    from_neighbours: str
    from_supplier: str
    share_hint: str
    community: str
    members: str
    members_now: str
    told: str
    members_graph: str
    late: str
    nobody_late: str
    figures: str
    this_month: str
    produced: str
    taken: str
    shared: str
    left: str
    coverage: str
    kept: str
    homes: str
    homes_hint: str

    def address(self, number: int) -> str:
        """Return the name of a house of the street."""
        return f"{self.street} {number}"


WORDS = {
    "en": Words(
        title="My electricity",
        home="Home",
        now="Now",
        phases="Per phase",
        phases_hint="Above zero is taken from the grid, below zero is given to it.",
        today="Today",
        last_days="Day by day",
        consumption="Consumption",
        house="House",
        solar="Solar",
        grid="Grid",
        offtake="From the grid",
        injection="To the grid",
        imbalance="Imbalance",
        energy="Energy dashboard",
        tariff="Tariff",
        band="Now",
        price="Price now",
        next_band="Then",
        band_ends="Changes",
        cost_today="Cost today",
        cost_month="Cost this month",
        quarter="This quarter-hour",
        peak="Month's peak",
        weeks="Week by week",
        origin=(
            "This meter is simulated. It replays a real Belgian household of 2017, recorded minute by minute; its solar"
            " production is *derived* from measured sunshine."
        ),
        street="Lime Street",
        neighbours="From my neighbours",
        neighbours_now="From my neighbours now",
        neighbours_today="Today",
        neighbours_month="This month",
        covered="Of what I took this month",
        saved="Saved this month",
        neighbours_price="Neighbours' price now",
        supplier_price="Supplier's price now",
        by_hour="Hour by hour",
        by_day="Day by day",
        from_neighbours="From neighbours",
        from_supplier="From the supplier",
        share_hint=(
            "What comes from the neighbours now is an estimate. It is divided for good after each quarter-hour,"
            " so that the last bars may still grow."
        ),
        community="Community",
        members="Who takes part",
        members_now="Members that have told their last quarter-hour",
        told="Quarter-hours that have arrived this month",
        members_graph="Members on time",
        late="Late now:",
        nobody_late="Nobody is late.",
        figures="What we share",
        this_month="This month",
        produced="Shared production",
        taken="Taken from the grid",
        shared="Given to members",
        left="Left over",
        coverage="Needs covered",
        kept="Used in the street",
        homes="Shares now",
        homes_hint=(
            "Three of the fifteen members are in this Home Assistant. The other twelve take part over the"
            " internet: here you see what they told, never more."
        ),
    ),
    "fr": Words(
        title="Mon électricité",
        home="Maison",
        now="Maintenant",
        phases="Par phase",
        phases_hint="Au-dessus de zéro : pris au réseau ; en dessous : donné au réseau.",
        today="Aujourd'hui",
        last_days="Jour après jour",
        consumption="Consommation",
        house="Maison",
        solar="Soleil",
        grid="Réseau",
        offtake="Pris au réseau",
        injection="Donné au réseau",
        imbalance="Déséquilibre",
        energy="Tableau de bord Énergie",
        tariff="Tarif",
        band="En ce moment",
        price="Prix en ce moment",
        next_band="Ensuite",
        band_ends="Changement",
        cost_today="Coût aujourd'hui",
        cost_month="Coût ce mois",
        quarter="Ce quart d'heure",
        peak="Pointe du mois",
        weeks="Semaine après semaine",
        origin=(
            "Ce compteur est simulé. Il rejoue un vrai ménage belge de 2017, enregistré minute par minute ; sa"
            " production solaire est *déduite* de l'ensoleillement mesuré."
        ),
        street="Rue des Tilleuls",
        neighbours="De mes voisins",
        neighbours_now="De mes voisins en ce moment",
        neighbours_today="Aujourd'hui",
        neighbours_month="Ce mois",
        covered="De ce que j'ai pris ce mois",
        saved="Économisé ce mois",
        neighbours_price="Prix des voisins",
        supplier_price="Prix du fournisseur",
        by_hour="Heure par heure",
        by_day="Jour après jour",
        from_neighbours="Des voisins",
        from_supplier="Du fournisseur",
        share_hint=(
            "Ce qui vient des voisins en ce moment est une estimation. Le partage définitif se fait après"
            " chaque quart d'heure : les dernières barres peuvent encore grandir."
        ),
        community="Communauté",
        members="Qui participe",
        members_now="Membres dont le dernier quart d'heure est arrivé",
        told="Quarts d'heure arrivés ce mois",
        members_graph="Membres à l'heure",
        late="En retard :",
        nobody_late="Personne n'est en retard.",
        figures="Ce que nous partageons",
        this_month="Ce mois",
        produced="Production partagée",
        taken="Pris au réseau",
        shared="Attribué aux membres",
        left="Surplus",
        coverage="Besoins couverts",
        kept="Utilisé dans la rue",
        homes="Les parts en ce moment",
        homes_hint=(
            "Trois des quinze membres sont dans ce Home Assistant. Les douze autres participent par internet :"
            " on voit ici ce qu'ils ont transmis, rien de plus."
        ),
    ),
    "nl": Words(
        title="Mijn elektriciteit",
        home="Thuis",
        now="Nu",
        phases="Per fase",
        phases_hint="Boven nul komt het van het net, onder nul gaat het ernaartoe.",
        today="Vandaag",
        last_days="Dag na dag",
        consumption="Verbruik",
        house="Huis",
        solar="Zon",
        grid="Net",
        offtake="Van het net",
        injection="Naar het net",
        imbalance="Onbalans",
        energy="Energiedashboard",
        tariff="Tarief",
        band="Nu",
        price="Prijs nu",
        next_band="Daarna",
        band_ends="Verandert",
        cost_today="Kosten vandaag",
        cost_month="Kosten deze maand",
        quarter="Dit kwartier",
        peak="Piek van de maand",
        weeks="Week na week",
        origin=(
            "Deze meter is gesimuleerd. Hij speelt een echt Belgisch huishouden van 2017 af, minuut per minuut"
            " opgetekend; de zonneproductie is *afgeleid* van gemeten zonneschijn."
        ),
        street="Lindestraat",
        neighbours="Van mijn buren",
        neighbours_now="Nu van mijn buren",
        neighbours_today="Vandaag",
        neighbours_month="Deze maand",
        covered="Van wat ik deze maand afnam",
        saved="Deze maand bespaard",
        neighbours_price="Prijs van de buren",
        supplier_price="Prijs van de leverancier",
        by_hour="Uur na uur",
        by_day="Dag na dag",
        from_neighbours="Van de buren",
        from_supplier="Van de leverancier",
        share_hint=(
            "Wat nu van de buren komt, is een schatting. Na elk kwartier wordt het definitief verdeeld: de"
            " laatste balken kunnen nog groeien."
        ),
        community="Gemeenschap",
        members="Wie meedoet",
        members_now="Leden van wie het laatste kwartier bekend is",
        told="Kwartieren die deze maand aankwamen",
        members_graph="Leden op tijd",
        late="Nu te laat:",
        nobody_late="Niemand is te laat.",
        figures="Wat we delen",
        this_month="Deze maand",
        produced="Gedeelde productie",
        taken="Van het net",
        shared="Aan leden toegekend",
        left="Overschot",
        coverage="Behoefte gedekt",
        kept="In de straat verbruikt",
        homes="Wie nu wat krijgt",
        homes_hint=(
            "Drie van de vijftien leden zitten in deze Home Assistant. De andere twaalf doen via het internet"
            " mee: hier staat wat zij doorgaven, niet meer."
        ),
    ),
    "de": Words(
        title="Mein Strom",
        home="Zuhause",
        now="Jetzt",
        phases="Je Phase",
        phases_hint="Über null kommt es aus dem Netz, unter null geht es hinein.",
        today="Heute",
        last_days="Tag für Tag",
        consumption="Verbrauch",
        house="Haus",
        solar="Sonne",
        grid="Netz",
        offtake="Aus dem Netz",
        injection="Ins Netz",
        imbalance="Schieflast",
        energy="Energie-Dashboard",
        tariff="Tarif",
        band="Jetzt",
        price="Preis jetzt",
        next_band="Danach",
        band_ends="Wechsel",
        cost_today="Kosten heute",
        cost_month="Kosten diesen Monat",
        quarter="Diese Viertelstunde",
        peak="Spitze des Monats",
        weeks="Woche für Woche",
        origin=(
            "Dieser Zähler ist simuliert. Er spielt einen echten belgischen Haushalt von 2017 ab, Minute für Minute"
            " aufgezeichnet; die Solarproduktion ist aus gemessener Sonneneinstrahlung *abgeleitet*."
        ),
        street="Lindenstraße",
        neighbours="Von meinen Nachbarn",
        neighbours_now="Jetzt von meinen Nachbarn",
        neighbours_today="Heute",
        neighbours_month="Diesen Monat",
        covered="Von meinem Bezug diesen Monat",
        saved="Diesen Monat gespart",
        neighbours_price="Preis der Nachbarn",
        supplier_price="Preis des Lieferanten",
        by_hour="Stunde für Stunde",
        by_day="Tag für Tag",
        from_neighbours="Von Nachbarn",
        from_supplier="Vom Lieferanten",
        share_hint=(
            "Was jetzt von den Nachbarn kommt, ist eine Schätzung. Endgültig wird nach jeder Viertelstunde"
            " geteilt: Die letzten Balken können noch wachsen."
        ),
        community="Gemeinschaft",
        members="Wer mitmacht",
        members_now="Mitglieder, deren letzte Viertelstunde bekannt ist",
        told="Viertelstunden, die diesen Monat ankamen",
        members_graph="Pünktliche Mitglieder",
        late="Jetzt verspätet:",
        nobody_late="Niemand ist verspätet.",
        figures="Was wir teilen",
        this_month="Diesen Monat",
        produced="Geteilte Produktion",
        taken="Aus dem Netz",
        shared="An Mitglieder verteilt",
        left="Überschuss",
        coverage="Bedarf gedeckt",
        kept="In der Straße verbraucht",
        homes="Anteile jetzt",
        homes_hint=(
            "Drei der fünfzehn Mitglieder sind in diesem Home Assistant. Die anderen zwölf nehmen über das"
            " Internet teil: Hier steht, was sie mitgeteilt haben, mehr nicht."
        ),
    ),
}
