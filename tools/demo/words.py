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
    figures_hint: str
    late_hint: str
    decimal: str

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
        covered="Covered",
        saved="Saved",
        neighbours_price="Neighbours",
        supplier_price="Supplier",
        by_hour="Hour by hour",
        by_day="Day by day",
        from_neighbours="From neighbours",
        from_supplier="From the supplier",
        share_hint=(
            "What comes from the neighbours now is an estimate; it is divided for good after each quarter-hour."
            " *Covered* is how much of what this home took from the grid this month came from them, *Saved*"
            " what that cost less. The prices are those of now, with network and levies."
        ),
        community="Community",
        members="Who takes part",
        members_now="Members on time, of {count}",
        told="Readings received this month",
        members_graph="On time",
        late="Late now:",
        nobody_late="Nobody is late.",
        figures="What we share",
        this_month="This month",
        produced="Shared production",
        taken="Taken from the grid",
        shared="Given to members",
        left="Left over",
        coverage="Needs covered this month",
        kept="Used in the street this month",
        homes="Shares now",
        homes_hint=(
            "Three of the fifteen members are in this Home Assistant. The other twelve take part over the"
            " internet: here you see what they told, never more. The twelve other homes are real ones, measured"
            " by the hour in 2016; their quarter-hours, and what the roofs give, are *derived*."
        ),
        figures_hint=(
            "How much of what all took came from the street's own roofs,"
            " and how much of what the roofs gave was used in the street."
        ),
        late_hint=(
            "Number 9 always tells its quarter-hours 40 minutes late, and number 11 drops out twice an hour:"
            " what it missed follows, and shares are divided again."
        ),
        decimal=".",
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
        covered="Couvert",
        saved="Économisé",
        neighbours_price="Voisins",
        supplier_price="Fournisseur",
        by_hour="Heure par heure",
        by_day="Jour après jour",
        from_neighbours="Des voisins",
        from_supplier="Du fournisseur",
        share_hint=(
            "Ce qui vient des voisins en ce moment est une estimation ; le partage définitif se fait après"
            " chaque quart d'heure. *Couvert* : la part de ce que cette maison a pris au réseau ce mois qui"
            " venait d'eux ; *Économisé* : ce que cela a coûté en moins. Les prix sont ceux du moment, réseau"
            " et taxes compris."
        ),
        community="Communauté",
        members="Qui participe",
        members_now="Membres à l'heure, sur {count}",
        told="Relevés reçus ce mois",
        members_graph="À l'heure",
        late="En retard :",
        nobody_late="Personne n'est en retard.",
        figures="Ce que nous partageons",
        this_month="Ce mois",
        produced="Production partagée",
        taken="Pris au réseau",
        shared="Attribué aux membres",
        left="Surplus",
        coverage="Besoins couverts ce mois",
        kept="Utilisé dans la rue ce mois",
        homes="Les parts en ce moment",
        homes_hint=(
            "Trois des quinze membres sont dans ce Home Assistant. Les douze autres participent par internet :"
            " on voit ici ce qu'ils ont transmis, rien de plus. Les douze autres maisons sont de vraies"
            " maisons, mesurées heure par heure en 2016 ; leurs quarts d'heure, et la production des toits, en"
            " sont *déduits*."
        ),
        figures_hint=(
            "La part de tout ce qui a été pris au réseau qui venait"
            " des toits de la rue, et la part de ce que ces toits ont donné qui a été utilisée dans la rue."
        ),
        late_hint=(
            "Le numéro 9 transmet toujours ses quarts d'heure avec 40 minutes de retard, et le numéro 11"
            " disparaît deux fois par heure : ce qui manquait suit, et les parts sont recalculées."
        ),
        decimal=",",
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
        covered="Gedekt",
        saved="Bespaard",
        neighbours_price="Buren",
        supplier_price="Leverancier",
        by_hour="Uur na uur",
        by_day="Dag na dag",
        from_neighbours="Van de buren",
        from_supplier="Van de leverancier",
        share_hint=(
            "Wat nu van de buren komt, is een schatting; na elk kwartier wordt het definitief verdeeld."
            " *Gedekt* is het deel van wat dit huis deze maand van het net nam dat van hen kwam, *Bespaard* wat"
            " dat minder kostte. De prijzen zijn die van nu, met net en heffingen."
        ),
        community="Gemeenschap",
        members="Wie meedoet",
        members_now="Leden op tijd, van {count}",
        told="Deze maand ontvangen metingen",
        members_graph="Op tijd",
        late="Nu te laat:",
        nobody_late="Niemand is te laat.",
        figures="Wat we delen",
        this_month="Deze maand",
        produced="Gedeelde productie",
        taken="Van het net",
        shared="Aan leden toegekend",
        left="Overschot",
        coverage="Deze maand gedekt",
        kept="Deze maand in de straat verbruikt",
        homes="Wie nu wat krijgt",
        homes_hint=(
            "Drie van de vijftien leden zitten in deze Home Assistant. De andere twaalf doen via het internet"
            " mee: hier staat wat zij doorgaven, niet meer. De twaalf andere huizen zijn echte huizen, in 2016"
            " per uur gemeten; hun kwartieren, en wat de daken geven, zijn *afgeleid*."
        ),
        figures_hint=(
            "Welk deel van alles wat werd afgenomen van de daken van"
            " de straat kwam, en welk deel van wat die daken gaven in de straat werd verbruikt."
        ),
        late_hint=(
            "Nummer 9 geeft zijn kwartieren altijd 40 minuten te laat door, en nummer 11 valt twee keer per uur"
            " weg: wat ontbrak, volgt, en er wordt opnieuw verdeeld."
        ),
        decimal=",",
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
        covered="Gedeckt",
        saved="Gespart",
        neighbours_price="Nachbarn",
        supplier_price="Lieferant",
        by_hour="Stunde für Stunde",
        by_day="Tag für Tag",
        from_neighbours="Von Nachbarn",
        from_supplier="Vom Lieferanten",
        share_hint=(
            "Was jetzt von den Nachbarn kommt, ist eine Schätzung; endgültig wird nach jeder Viertelstunde"
            " geteilt. *Gedeckt* ist der Teil dessen, was dieses Haus diesen Monat aus dem Netz bezog, der von"
            " ihnen kam, *Gespart*, was das weniger kostete. Die Preise gelten jetzt, mit Netz und Abgaben."
        ),
        community="Gemeinschaft",
        members="Wer mitmacht",
        members_now="Pünktliche Mitglieder, von {count}",
        told="Diesen Monat empfangene Messwerte",
        members_graph="Pünktlich",
        late="Jetzt verspätet:",
        nobody_late="Niemand ist verspätet.",
        figures="Was wir teilen",
        this_month="Diesen Monat",
        produced="Geteilte Produktion",
        taken="Aus dem Netz",
        shared="An Mitglieder verteilt",
        left="Überschuss",
        coverage="Diesen Monat gedeckt",
        kept="Diesen Monat in der Straße verbraucht",
        homes="Anteile jetzt",
        homes_hint=(
            "Drei der fünfzehn Mitglieder sind in diesem Home Assistant. Die anderen zwölf nehmen über das"
            " Internet teil: Hier steht, was sie mitgeteilt haben, mehr nicht. Die zwölf anderen Häuser sind"
            " echte, 2016 stündlich gemessen; ihre Viertelstunden, und was die Dächer geben, sind *abgeleitet*."
        ),
        figures_hint=(
            "Welcher Teil von allem, was bezogen wurde, von den"
            " Dächern der Straße kam, und welcher Teil dessen, was diese Dächer gaben, in der Straße verbraucht"
            " wurde."
        ),
        late_hint=(
            "Nummer 9 teilt seine Viertelstunden immer 40 Minuten zu spät mit, und Nummer 11 fällt zweimal in"
            " der Stunde aus: Was fehlte, folgt, und es wird neu geteilt."
        ),
        decimal=",",
    ),
}
