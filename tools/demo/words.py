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
    ),
}
